--[[
  Begins a rebuild, taking over from one under way. Until its time runs out, additions go to its keys too.

  KEYS[1] build
  KEYS[2] next filter
  KEYS[3] next records
  KEYS[4] next forgotten

  ARGV[1] token
  ARGV[2] milliseconds to live without a further page
  ARGV[3] error rate
  ARGV[4] capacity

  Returns 1
]]
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
redis.call('BF.RESERVE', KEYS[2], ARGV[3], ARGV[4], 'EXPANSION', '2')
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
