--[[
  Looks one content up and, if it is new, takes its lock or renews it for the owner who has it, in one step.

  As in lookup: the filter is believed only where it holds at least as many items as `epoch` says it took,
  and a yes of the filter is never an answer. What is done locks nothing.

  KEYS[1] filter
  KEYS[2] records
  KEYS[3] meta
  KEYS[4] lock

  ARGV[1] schema version
  ARGV[2] raw sha256
  ARGV[3] owner
  ARGV[4] milliseconds to live

  Returns the record = done, 1 when the owner holds the lock now, 0 when another does
  Errors: PRISTINE_SCHEMA <version found>
]]
local meta = redis.call('HMGET', KEYS[3], 'schema', 'epoch')
if meta[1] and meta[1] ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. meta[1])
end
local believed = redis.call('BF.CARD', KEYS[1]) >= (tonumber(meta[2] or '') or math.huge)
if not believed or redis.call('BF.EXISTS', KEYS[1], ARGV[2]) == 1 then
  local record = redis.call('HGET', KEYS[2], ARGV[2])
  if record then
    return record
  end
end

local owner = redis.call('GET', KEYS[4])
if owner and owner ~= ARGV[3] then
  return 0
end
redis.call('SET', KEYS[4], ARGV[3], 'PX', ARGV[4])
return 1
