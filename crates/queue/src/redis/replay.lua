-- KEYS: dead. ARGV: id. The count of deliveries begins anew.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
local fields, kept = entry[2], {}
for i = 7, #fields, 2 do
  if fields[i] ~= 'deliveries' or #fields == 8 then
    kept[#kept + 1] = fields[i]
    kept[#kept + 1] = fields[i + 1]
  end
end
redis.call('XADD', fields[4], '*', unpack(kept))
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
