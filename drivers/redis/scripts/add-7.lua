--[[
  A content is done: into the filter, into the exact records, and its lock freed, in one step.
  While a rebuild is under way it goes into the rebuild's keys too, so that the swap does not lose it.

  KEYS[1] filter
  KEYS[2] records
  KEYS[3] meta
  KEYS[4] lock
  KEYS[5] build: token of the rebuild under way
  KEYS[6] next filter
  KEYS[7] next records

  ARGV[1] schema version
  ARGV[2] raw sha256
  ARGV[3] record
  ARGV[4] owner whose lock is freed; '' = none
  ARGV[5] error rate of a new filter
  ARGV[6] capacity of a new filter

  Returns 1
  Errors: PRISTINE_SCHEMA <version found>
]]
local schema = redis.call('HGET', KEYS[3], 'schema')
if schema and schema ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. schema)
end

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('BF.RESERVE', KEYS[1], ARGV[5], ARGV[6], 'EXPANSION', '2')
end
local fresh = redis.call('BF.ADD', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
if not schema then
  redis.call('HSET', KEYS[3], 'schema', ARGV[1])
end
-- Where records outlived their meta, a fresh epoch would make a filter of one item believed: check() fills
-- the filter and writes the epoch then.
if redis.call('HEXISTS', KEYS[3], 'epoch') == 1 then
  redis.call('HINCRBY', KEYS[3], 'epoch', fresh)
elseif redis.call('HLEN', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[3], 'epoch', redis.call('BF.CARD', KEYS[1]))
end

local left = redis.call('PTTL', KEYS[5])
if left > 0 then
  redis.call('BF.ADD', KEYS[6], ARGV[2])
  redis.call('HSET', KEYS[7], ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[6], left)
  redis.call('PEXPIRE', KEYS[7], left)
end

if ARGV[4] ~= '' and redis.call('GET', KEYS[4]) == ARGV[4] then
  redis.call('DEL', KEYS[4])
end
return 1
