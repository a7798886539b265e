-- Trims a stream to a length, as far as every consumer group has acknowledged. KEYS: the stream.
local stream, length = KEYS[1], tonumber(ARGV[1])
local surplus = redis.call('XLEN', stream) - length
if surplus <= 0 then return 0 end
-- Entries are compared as Redis does: by their two numbers, of which a double holds neither.
local function less(a, b)
  local ah, al = string.match(a, '(%d+)-(%d+)')
  local bh, bl = string.match(b, '(%d+)-(%d+)')
  if #ah ~= #bh then return #ah < #bh end
  if ah ~= bh then return ah < bh end
  if #al ~= #bl then return #al < #bl end
  return al < bl
end
-- Up to where everybody has everything behind them.
local bound
for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local info = {}
  for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
  local pending = redis.call('XPENDING', stream, info['name'])
  local first = pending[1] > 0 and '(' .. pending[2] or info['last-delivered-id']
  local id = string.gsub(first, '%(', '')
  if not bound or less(id, (string.gsub(bound, '%(', ''))) then bound = first end
end
if not bound then return 0 end
local entries = redis.call('XRANGE', stream, '-', bound, 'COUNT', math.min(surplus, 1000))
for _, entry in ipairs(entries) do redis.call('XDEL', stream, entry[1]) end
return #entries
