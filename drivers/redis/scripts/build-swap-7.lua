--[[
  Ends a rebuild: its filter and records take the place of the old ones, in one step.

  KEYS[1] build
  KEYS[2] next filter
  KEYS[3] next records
  KEYS[4] next forgotten
  KEYS[5] filter
  KEYS[6] records
  KEYS[7] meta

  ARGV[1] token
  ARGV[2] schema version

  Returns how many records there are now
  Errors: PRISTINE_BUILD_LOST
]]
-- With no page and no addition only the filter is there; without it, its time ran out.
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then
  return redis.error_reply('PRISTINE_BUILD_LOST')
end
-- UNLINK first: a RENAME over a large key frees it while everyone waits.
redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7])
redis.call('RENAME', KEYS[2], KEYS[5])
redis.call('PERSIST', KEYS[5])
if redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('RENAME', KEYS[3], KEYS[6])
  redis.call('PERSIST', KEYS[6])
end
redis.call('HSET', KEYS[7], 'schema', ARGV[2], 'epoch', redis.call('BF.CARD', KEYS[5]))
redis.call('UNLINK', KEYS[1], KEYS[4])
return redis.call('HLEN', KEYS[6])
