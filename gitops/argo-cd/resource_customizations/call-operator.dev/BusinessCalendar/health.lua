-- That no dated holiday lies ahead is worth a look, but calls go on: the message tells of it.
local status = obj.status
if status == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "The operator has not seen this version of the calendar yet" }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "The calendar has not been looked at yet" }
end

local message = ready.reason .. ": " .. ready.message
if ready.status ~= "True" then
  return { status = "Degraded", message = message }
end
local exhausted = conditions.HolidaysExhausted
if exhausted ~= nil and exhausted.status == "True" then
  message = message .. "; " .. exhausted.reason .. ": " .. exhausted.message
end
return { status = "Healthy", message = message }
