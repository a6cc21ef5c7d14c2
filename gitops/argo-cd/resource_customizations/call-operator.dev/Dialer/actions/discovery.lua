local actions = {}
if obj.metadata.deletionTimestamp ~= nil then
  return actions
end
if obj.spec.suspend == true then
  actions["resume"] = { iconClass = "fa fa-fw fa-play" }
else
  actions["suspend"] = { iconClass = "fa fa-fw fa-pause" }
end
return actions
