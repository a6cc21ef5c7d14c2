-- For good: the record stays, and nothing more is dialled.
obj.spec.cancel = true
return obj
