-- What the group has not been handed yet, of all streams. KEYS: the streams. ARGV: group.
local sum = 0
for _, stream in ipairs(KEYS) do
  if redis.call('EXISTS', stream) == 1 then
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local info = {}
      for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
      if info['name'] == ARGV[1] then
        -- Redis cannot tell how far a group is behind where entries were deleted out of order; of a
        -- stream that keeps nothing, all that is not held waits.
        local lag = info['lag']
        if not lag then lag = redis.call('XLEN', stream) - info['pending'] end
        sum = sum + math.max(0, lag)
      end
    end
  end
end
return sum
