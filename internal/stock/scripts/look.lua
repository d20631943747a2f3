#!lua flags=no-writes,allow-oom
-- Reads the hashes of shows of one shard at one instant. MULTI would do the same, but is refused when memory is short.
-- KEYS show hashes
-- Returns {seconds, microseconds, {state, epoch, left, seq, settled, paused_at}, ...}: the instant, then each show; of a key that is no
-- hash {}
local answer = redis.call('TIME')
for i, key in ipairs(KEYS) do
  local show = redis.pcall('HMGET', key, 'state', 'epoch', 'left', 'seq', 'settled', 'paused_at')
  answer[i + 2] = show.err and {} or show
end
return answer
