--[[
  Frees a lock, only for the owner who has it.

  KEYS[1] lock

  ARGV[1] owner

  Returns 1 when freed, else 0
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
