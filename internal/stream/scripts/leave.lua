#!lua
-- Deletes a consumer that owns nothing. KEYS[1] stream  ARGV[1] group  ARGV[2] consumer
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
