-- What has ended, or is being deleted, cannot be acted on.
local actions = {}
local state = "Pending"
if obj.status ~= nil and obj.status.state ~= nil then
  state = obj.status.state
end
if obj.metadata.deletionTimestamp ~= nil or (state ~= "Pending" and state ~= "Processing") then
  return actions
end

if obj.spec.suspend == true then
  actions["resume"] = { iconClass = "fa fa-fw fa-play" }
elseif state == "Pending" then
  actions["suspend"] = { iconClass = "fa fa-fw fa-pause" }
end
if obj.spec.cancel ~= true then
  actions["cancel"] = { iconClass = "fa fa-fw fa-ban" }
end
return actions
