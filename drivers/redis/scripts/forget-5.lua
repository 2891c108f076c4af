--[[
  Forgets one content, also for a rebuild under way. The filter keeps its bits: they cost one exact look-up.

  KEYS[1] records
  KEYS[2] meta
  KEYS[3] build: token of the rebuild under way
  KEYS[4] next records
  KEYS[5] next forgotten

  ARGV[1] schema version
  ARGV[2] raw sha256

  Returns 1 when there was a record, else 0
  Errors: PRISTINE_SCHEMA <version found>
]]
local schema = redis.call('HGET', KEYS[2], 'schema')
if schema and schema ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. schema)
end
local left = redis.call('PTTL', KEYS[3])
if left > 0 then
  redis.call('HDEL', KEYS[4], ARGV[2])
  redis.call('SADD', KEYS[5], ARGV[2])
  redis.call('PEXPIRE', KEYS[5], left)
end
return redis.call('HDEL', KEYS[1], ARGV[2])
