-- KEYS: the stream, later. ARGV: group, id, milliseconds, field, deliveries, body.
local stream, later = KEYS[1], KEYS[2]
local group, id, after, field, deliveries, body = unpack(ARGV)
-- Whose it no longer is has nothing to give back.
if redis.call('XACK', stream, group, id) == 0 then return 0 end
redis.call('XDEL', stream, id)
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + after
redis.call('ZADD', later, due, table.concat({id, stream, field, deliveries, body}, '\n'))
return 1
