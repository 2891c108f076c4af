--[[
  Puts one page of the exact records into the filter. After the last page the filter is believed again.
  Adding what is in already changes nothing, so several workers may fill at once, beside additions.

  KEYS[1] filter
  KEYS[2] records
  KEYS[3] meta

  ARGV[1] schema version
  ARGV[2] cursor: '0' at first, then what was returned
  ARGV[3] about how many records a page has
  ARGV[4] items that the filter held after the page before; '0' at first
  ARGV[5] error rate of a new filter
  ARGV[6] capacity of a new filter

  Returns {next cursor ('0' = done), items in the filter}
  Errors: PRISTINE_SCHEMA <version found>, PRISTINE_BUILD_LOST (the filter was lost again meanwhile)
]]
local schema = redis.call('HGET', KEYS[3], 'schema')
if schema and schema ~= ARGV[1] then
  return redis.error_reply('PRISTINE_SCHEMA ' .. schema)
end
if redis.call('BF.CARD', KEYS[1]) < tonumber(ARGV[4]) then
  return redis.error_reply('PRISTINE_BUILD_LOST')
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('BF.RESERVE', KEYS[1], ARGV[5], ARGV[6], 'EXPANSION', '2')
end

local page = redis.call('HSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3])
for i = 1, #page[2], 2 do
  redis.call('BF.ADD', KEYS[1], page[2][i])
end
local items = redis.call('BF.CARD', KEYS[1])
if page[1] == '0' then
  redis.call('HSET', KEYS[3], 'schema', ARGV[1], 'epoch', items)
end
return { page[1], items }
