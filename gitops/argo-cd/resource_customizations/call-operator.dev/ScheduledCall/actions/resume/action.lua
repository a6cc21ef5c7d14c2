-- Not removed: a Git manifest that is silent about a field leaves what others have set.
obj.spec.suspend = false
return obj
