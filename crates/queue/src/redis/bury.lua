-- KEYS: the stream, dead. ARGV: group, id, reason, deliveries.
local stream, dead = KEYS[1], KEYS[2]
local group, id, reason, deliveries = unpack(ARGV)
local entry = redis.call('XRANGE', stream, id, id)[1]
if redis.call('XACK', stream, group, id) == 0 then return 0 end
if entry then
  redis.call('XADD', dead, '*', 'reason', reason, 'stream', stream, 'deliveries', deliveries, unpack(entry[2], 1, math.min(#entry[2], 4000)))
  redis.call('XDEL', stream, id)
end
return 1
