-- Healthy: waits for its time, or ended as it should. Progressing: due, and not at its end yet.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen this version of the call yet" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "The call has not been planned yet" }
end

local message = ready.reason .. ": " .. ready.message
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return { status = "Degraded", message = message }
end
if ready.reason == "Suspended" then
  return { status = "Suspended", message = message }
end

-- The sync waits for a hook, and a hook is over when its call is.
local is_hook = obj.metadata.annotations ~= nil and obj.metadata.annotations["argocd.argoproj.io/hook"] ~= nil
if is_hook and status.completionTime == nil then
  return { status = "Progressing", message = message }
end
if status.state == "Processing" or ready.reason == "Retrying" or ready.reason == "WaitingForDialer" then
  return { status = "Progressing", message = message }
end
return { status = "Healthy", message = message }
