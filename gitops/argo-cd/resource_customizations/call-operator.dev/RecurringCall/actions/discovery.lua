-- A series that has come to its end has nothing to hold.
local actions = {}
if obj.metadata.deletionTimestamp ~= nil then
  return actions
end
if obj.spec.suspend == true then
  actions["resume"] = { iconClass = "fa fa-fw fa-play" }
  return actions
end

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  conditions = obj.status.conditions
end
for _, condition in ipairs(conditions) do
  if condition.type == "Ready" and condition.reason == "Finished" then
    return actions
  end
end
actions["suspend"] = { iconClass = "fa fa-fw fa-pause" }
return actions
