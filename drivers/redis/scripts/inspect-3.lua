--[[
  What check() needs to know of one profile, as of one moment.

  KEYS[1] filter
  KEYS[2] records
  KEYS[3] meta

  Returns {type of filter, type of records, type of meta} and, if these are right or none,
  also {schema or '', epoch or '', records, items in the filter, layers of the filter, capacity of the filter}
]]
local types = {}
for i = 1, 3 do
  types[i] = redis.call('TYPE', KEYS[i]).ok
end
local function is(i, expected)
  return types[i] == 'none' or types[i] == expected
end
if not (is(1, 'MBbloom--') and is(2, 'hash') and is(3, 'hash')) then
  return types
end

local layers, capacity = 0, 0
local items = redis.call('BF.CARD', KEYS[1])
if types[1] ~= 'none' then
  local info = redis.call('BF.INFO', KEYS[1])
  for i = 1, #info - 1, 2 do
    -- Field names are status replies, which Lua has as tables.
    local field = type(info[i]) == 'table' and info[i].ok or info[i]
    if field == 'Number of filters' then layers = info[i + 1] end
    if field == 'Capacity' then capacity = info[i + 1] end
  end
end
local meta = redis.call('HMGET', KEYS[3], 'schema', 'epoch')
return {
  types[1], types[2], types[3],
  meta[1] or '', meta[2] or '', redis.call('HLEN', KEYS[2]), items, layers, capacity,
}
