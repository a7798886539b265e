-- KEYS: dead. ARGV: how many, how many bytes of each body.
-- Answers {id, body, size, reason, deliveries} of each. What stands before the sixth value is ours.
local out = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
  local id, fields = entry[1], entry[2]
  local body, rank = '', 9
  local ranks = {ticket = 1, job = 2, data = 3, payload = 4}
  for i = 7, #fields, 2 do
    local this = ranks[fields[i]] or 8
    if fields[i] == 'deliveries' then this = 9 end
    if this < rank then body, rank = fields[i + 1], this end
  end
  out[#out + 1] = {id, string.sub(body, 1, tonumber(ARGV[2])), #body, fields[2], tonumber(fields[6]) or 0}
end
return out
