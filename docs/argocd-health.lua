-- Argo CD: the health of a CubeCredential.
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "waiting for the operator to observe this spec"}
end
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready or {}
local message = ready.message
if ready.status == "True" then
  return {status = "Healthy", message = message}
end
local refreshed = conditions.Refreshed or {}
if refreshed.reason == "Suspended" then
  return {status = "Suspended", message = refreshed.message}
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return {status = "Degraded", message = message}
end
return {status = "Progressing", message = message}
