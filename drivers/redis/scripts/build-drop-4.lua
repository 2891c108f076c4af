--[[
  Gives a rebuild up, if it is still ours.

  KEYS[1] build
  KEYS[2] next filter
  KEYS[3] next records
  KEYS[4] next forgotten

  ARGV[1] token

  Returns 1 when it was ours, else 0
]]
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return 1
