--[[
  Looks many contents up in one step.

  The filter is believed only where it holds at least as many items as `epoch` says it took: a lost, evicted
  or older one does not, and then the exact records answer for all. A yes of the filter is never an answer.

  KEYS[1] filter
  KEYS[2] records
  KEYS[3] meta

  ARGV[1]  schema version
  ARGV[2…] raw sha256s

  Returns, in order, each one's record, or nil = new.
  Errors: PRISTINE_SCHEMA <version found>
]]
local meta = redis.call('HMGET', KEYS[3], 'schema', 'epoch')
if meta[1] and meta[1] ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. meta[1])
end
local believed = redis.call('BF.CARD', KEYS[1]) >= (tonumber(meta[2] or '') or math.huge)

-- unpack() takes a few thousand values at most.
local PAGE = 1000
local answers = {}
for first = 2, #ARGV, PAGE do
  local last = math.min(first + PAGE - 1, #ARGV)
  local maybe = believed and redis.call('BF.MEXISTS', KEYS[1], unpack(ARGV, first, last))

  local asked, places = {}, {}
  for i = first, last do
    answers[i - 1] = false
    if not maybe or maybe[i - first + 1] == 1 then
      asked[#asked + 1] = ARGV[i]
      places[#places + 1] = i - 1
    end
  end
  if #asked > 0 then
    local records = redis.call('HMGET', KEYS[2], unpack(asked))
    for j, place in ipairs(places) do
      answers[place] = records[j]
    end
  end
end
return answers
