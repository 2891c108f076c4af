--[[
  Adds one page of records to a rebuild. What was added by others meanwhile is newer and stays; what was
  forgotten meanwhile stays forgotten.

  KEYS[1] build
  KEYS[2] next filter
  KEYS[3] next records
  KEYS[4] next forgotten

  ARGV[1]  token
  ARGV[2]  milliseconds to live without a further page
  ARGV[3…] raw sha256, record, raw sha256, record …

  Returns how many records the rebuild holds
  Errors: PRISTINE_BUILD_LOST
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('PRISTINE_BUILD_LOST')
end
for i = 3, #ARGV - 1, 2 do
  if redis.call('SISMEMBER', KEYS[4], ARGV[i]) == 0 then
    redis.call('BF.ADD', KEYS[2], ARGV[i])
    redis.call('HSETNX', KEYS[3], ARGV[i], ARGV[i + 1])
  end
end
for i = 1, 4 do
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return redis.call('HLEN', KEYS[3])
