-- Degraded: it cannot be used, or its provider is in trouble and its calls wait.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen this version of the Dialer yet" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "The Dialer has not been looked at yet" }
end

local message = ready.reason .. ": " .. ready.message
if ready.status ~= "True" then
  return { status = "Degraded", message = message }
end
if ready.reason == "Suspended" then
  return { status = "Suspended", message = message }
end
return { status = "Healthy", message = message }
