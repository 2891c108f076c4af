--[[
  Renews a lock, only for the owner who has it.

  KEYS[1] lock

  ARGV[1] owner
  ARGV[2] milliseconds to live

  Returns 1 when renewed, else 0
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
