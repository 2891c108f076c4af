--[[
  What is noted of many files, and the record of each noted content, in one step. A note of the last period is
  taken over into the current one.

  KEYS[1] notes of the current period
  KEYS[2] notes of the last period
  KEYS[3] records
  KEYS[4] meta

  ARGV[1]  schema version
  ARGV[2]  seconds that the current period's notes are kept for after a change
  ARGV[3…] short hashes of names

  Returns, for each name in order, its note and the noted content's exact record, each nil when there is none.
  Errors: PRISTINE_SCHEMA <version found>
]]
local schema = redis.call('HGET', KEYS[4], 'schema')
if schema and schema ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. schema)
end

-- unpack() takes a few thousand values at most.
local PAGE = 1000
local answers = {}
for first = 3, #ARGV, PAGE do
  local last = math.min(first + PAGE - 1, #ARGV)
  local notes = redis.call('HMGET', KEYS[1], unpack(ARGV, first, last))

  local asked, places = {}, {}
  for i = first, last do
    if not notes[i - first + 1] then
      asked[#asked + 1] = ARGV[i]
      places[#places + 1] = i - first + 1
    end
  end
  if #asked > 0 then
    local older = redis.call('HMGET', KEYS[2], unpack(asked))
    local taken = false
    for j, place in ipairs(places) do
      if older[j] then
        notes[place] = older[j]
        redis.call('HSET', KEYS[1], asked[j], older[j])
        taken = true
      end
    end
    if taken then
      redis.call('EXPIRE', KEYS[1], ARGV[2])
    end
  end

  local contents, noted = {}, {}
  for i = first, last do
    local note = notes[i - first + 1]
    answers[2 * (i - 2) - 1] = note
    answers[2 * (i - 2)] = false
    if note then
      contents[#contents + 1] = string.sub(note, 1, 32)
      noted[#noted + 1] = 2 * (i - 2)
    end
  end
  if #contents > 0 then
    local records = redis.call('HMGET', KEYS[3], unpack(contents))
    for j, place in ipairs(noted) do
      answers[place] = records[j]
    end
  end
end
return answers
