-- A call that fails, is missed or is cancelled does not make its series unhealthy: the message tells of it.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen this version of the series yet" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "The series has not been planned yet" }
end

local message = ready.reason .. ": " .. ready.message
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return { status = "Degraded", message = message }
end
if status.lastOutcome ~= nil then
  message = message .. "; the last call ended as " .. status.lastOutcome
end
if ready.reason == "Suspended" then
  return { status = "Suspended", message = message }
end
if status.nextScheduledTimes ~= nil and status.nextScheduledTimes[1] ~= nil then
  message = message .. "; the next call rings at " .. status.nextScheduledTimes[1]
end
return { status = "Healthy", message = message }
