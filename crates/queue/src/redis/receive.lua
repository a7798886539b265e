-- Hands out up to `most` entries: first what abandoned consumers hold, then what is new, stream by
-- stream. Beforehand, what has become due goes back to its stream.
-- KEYS: for each pool its streams high, normal and low, then later and dead.
-- Answers: the entries as {number of the stream, id, {{field, value}...}, deliveries}, and in how
-- many milliseconds the next one is due, or -1.
local group, consumer = ARGV[1], ARGV[2]
local most, max_body, claim_after = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local PROMOTED = 1000
local out, next_due = {}, -1
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What one call can take as arguments.
local MOST_FIELDS = 4000

-- An entry that is too large is never sent: it is buried here.
local function add(stream, number, dead, entry, deliveries)
  local id, fields = entry[1], entry[2]
  if not fields then return end
  local size, pairs_ = 0, {}
  for i = 1, #fields, 2 do
    size = size + #fields[i + 1]
    pairs_[#pairs_ + 1] = {fields[i], fields[i + 1]}
  end
  -- Room for what stands beside a body.
  if size > max_body + 4096 or #fields > MOST_FIELDS then
    redis.call('XADD', dead, '*', 'reason', size .. ' bytes are more than ' .. max_body,
      'stream', stream, 'deliveries', deliveries, unpack(fields, 1, math.min(#fields, MOST_FIELDS)))
    redis.call('XACK', stream, group, id)
    redis.call('XDEL', stream, id)
    return
  end
  out[#out + 1] = {number, id, pairs_, deliveries}
end

for first = 1, #KEYS, 5 do
  local later = KEYS[first + 3]
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, PROMOTED)) do
    local stream, field, deliveries, body = string.match(member, '^[^\n]*\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
    redis.call('XADD', stream, '*', field, body, 'deliveries', deliveries)
    redis.call('ZREM', later, member)
  end
  local next = redis.call('ZRANGE', later, 0, 0, 'WITHSCORES')
  if next[2] then
    local due = math.max(0, tonumber(next[2]) - now)
    if next_due < 0 or due < next_due then next_due = due end
  end
end

for first = 1, #KEYS, 5 do
  for band = 0, 2 do
    local stream = KEYS[first + band]
    local number = (first - 1) / 5 * 3 + band
    if claim_after > 0 then
      local cursor = '0-0'
      repeat
        if #out >= most then break end
        local claimed = redis.call('XAUTOCLAIM', stream, group, consumer, claim_after, cursor, 'COUNT', most - #out)
        cursor = claimed[1]
        for _, entry in ipairs(claimed[2]) do
          local state = redis.call('XPENDING', stream, group, entry[1], entry[1], 1)
          add(stream, number, KEYS[first + 4], entry, state[1] and state[1][4] or 1)
        end
      until cursor == '0-0'
    end
    while #out < most do
      local read = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most - #out, 'STREAMS', stream, '>')
      if not read then break end
      for _, entry in ipairs(read[1][2]) do add(stream, number, KEYS[first + 4], entry, 1) end
    end
    -- Consumers that have gone, and hold nothing, are forgotten.
    if claim_after > 0 then
      for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
        if info[2] ~= consumer and info[4] == 0 and info[6] > math.max(claim_after, 3600000) then
          redis.call('XGROUP', 'DELCONSUMER', stream, group, info[2])
        end
      end
    end
  end
end
return {out, next_due}
