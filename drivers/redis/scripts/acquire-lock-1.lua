--[[
  Takes a lock that is free, or renews it for the owner who has it.

  KEYS[1] lock

  ARGV[1] owner
  ARGV[2] milliseconds to live

  Returns 1 when the owner holds it now, else 0
]]
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
