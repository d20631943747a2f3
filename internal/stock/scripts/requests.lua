#!lua
-- Answers the requests of one shard that share a call, in their order. Each takes units, or asks for a cancel, and appends one
-- entry to the shard's stream, or does neither. A cancel never touches the units left: they come back in settle.lua, after the commit.
-- KEYS[1] stream (and fence channel); then of each request: show hash, user's hash, units per user of the show
-- ARGV[1] most unsettled entries of a show  ARGV[2] seconds to remember a request, 1 or more
-- then of each request: "reserve" or "cancel", reservation id, user id, units (of a cancel: its row's), show id,
--   and the instance that waits and the trace context, joined by "|"
-- Returns a text for each request: "ok|entry id" | "repeat|marker" ("repeat" of a cancel) | "conflict"
--   | "fenced" | "unloaded" | "paused" | "not_open|opens" | "closed" | "started" | "limit|held|limit" | "sold_out|left" | "busy"
--   | "bad_state" | "failed|error": Redis refused to read or append; nothing was done for this request, nor, after an append, for the rest
-- An entry has one field, e: "2|show|epoch|seq|kind|units|user|reservation id|instance|trace context". A marker is the same up to
-- the units, then the entry's id. Show, epoch and seq come first because settle.lua knows an entry by them.
local call, pcall = redis.call, redis.pcall
local answers = {}
if call('PUBSUB', 'NUMSUB', KEYS[1])[2] == 0 then
  for i = 1, (#KEYS - 1) / 3 do answers[i] = 'fenced' end
  return answers
end
local t = call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local backlog, ttl = tonumber(ARGV[1]), tonumber(ARGV[2])
local shows, failed = {}, nil

-- whole returns the integer that a text is, or false.
local function whole(text)
  local n = tonumber(text or '')
  return n and n % 1 == 0 and n
end

-- read returns a show as it is now, for all requests of this call: what each kind of request is refused with, or its numbers.
local function read(key)
  local h = pcall('HMGET', key, 'state', 'epoch', 'left', 'seq', 'settled', 'limit', 'opens', 'closes', 'starts')
  local show = {users = {}} -- and the units of those who have taken some in this call
  if h.err then
    show.reserve = 'failed|' .. h.err
  elseif not h[1] or h[1] == 'unloaded' then
    show.reserve = 'unloaded'
  elseif h[1] ~= 'open' then
    show.reserve = 'paused'
  end
  show.cancel = show.reserve
  if not show.reserve then
    show.epoch, show.left, show.seq, show.settled, show.limit = h[2], whole(h[3]), whole(h[4]), whole(h[5]), whole(h[6])
    local opens, closes, starts = whole(h[7]), whole(h[8]), whole(h[9])
    local sound = whole(h[2]) and show.seq and ttl >= 1
    if not (sound and show.left and show.settled and show.limit and opens and closes) then show.reserve = 'bad_state'
    elseif now < opens then show.reserve = 'not_open|' .. h[7]
    elseif now >= closes then show.reserve = 'closed' end
    if not (sound and starts) then show.cancel = 'bad_state'
    elseif now >= starts then show.cancel = 'started' end
  end
  shows[key] = show
  return show
end

-- append makes the entry and its marker, and counts it. The append comes first: it is the one write that can still fail, and Redis
-- undoes nothing after an error.
local function append(show, showid, kind, units, user, id, rest, userkey, field)
  local seq = string.format('%.0f', show.seq + 1)
  local head = '2|' .. showid .. '|' .. show.epoch .. '|' .. seq .. '|' .. kind .. '|' .. units .. '|'
  local entry = pcall('XADD', KEYS[1], 'NOMKSTREAM', '*', 'e', head .. user .. '|' .. id .. '|' .. rest)
  if not entry then return nil, 'unloaded' end
  if entry.err then
    failed = 'failed|' .. entry.err
    return nil, failed
  end
  show.seq, show.next = show.seq + 1, seq
  call('HSET', userkey, field, head .. entry)
  call('EXPIRE', userkey, ARGV[2])
  return entry
end

local function reserve(show, userkey, userskey, id, user, units, showid, rest)
  local field = 'r:' .. id
  local marker = pcall('HGET', userkey, field)
  if marker then
    if marker.err then return 'failed|' .. marker.err end
    local of, taken = string.match(marker, '^2|(%d+)|%d+|%d+|reserve|(%d+)|')
    if not of then taken, of = string.match(marker, '^(%d+)|(%d+)|%d+|%d+|[^|]+$') end -- as builds before version 2 wrote it
    if of and (of ~= showid or taken ~= units) then return 'conflict' end -- a garbled one is the ledger's to tell
    return 'repeat|' .. marker
  end
  if show.reserve then return show.reserve end
  local n, held = whole(units), 0
  if not n or n < 1 then return 'bad_state' end
  if show.limit > 0 then
    held = show.users[user]
    if not held then
      held = pcall('HGET', userskey, user) or '0'
      held = type(held) == 'string' and whole(held)
      if not held then return 'bad_state' end
    end
    if held + n > show.limit then return string.format('limit|%.0f|%.0f', held, show.limit) end
  end
  if show.left < n then return string.format('sold_out|%.0f', show.left) end
  if show.seq - show.settled >= backlog then return 'busy' end
  local entry, refused = append(show, showid, 'reserve', units, user, id, rest, userkey, field)
  if not entry then return refused end
  show.left, show.taken = show.left - n, true
  if show.limit > 0 then show.users[user], show.userskey = held + n, userskey end
  return 'ok|' .. entry
end

local function cancel(show, userkey, id, user, units, showid, rest)
  if show.cancel then return show.cancel end
  local field = 'c:' .. id
  local marker = pcall('HGET', userkey, field)
  if marker then
    if marker.err then return 'failed|' .. marker.err end
    local epoch = string.match(marker, '^2|%d+|(%d+)|') or string.match(marker, '^(%d+)|%d+|[^|]+$')
    if epoch == show.epoch then return 'repeat' end -- one of an older epoch is void
  end
  local entry, refused = append(show, showid, 'cancel', units, user, id, rest, userkey, field)
  return entry and 'ok|' .. entry or refused
end

local a = 3
for k = 2, #KEYS, 3 do
  local answer = failed
  if not answer then
    local show = shows[KEYS[k]] or read(KEYS[k])
    if ARGV[a] == 'reserve' then
      answer = reserve(show, KEYS[k + 1], KEYS[k + 2], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5])
    else
      answer = cancel(show, KEYS[k + 1], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5])
    end
  end
  answers[#answers + 1] = answer
  a = a + 6
end
for key, show in pairs(shows) do
  if show.taken then call('HSET', key, 'left', string.format('%.0f', show.left), 'seq', show.next)
  elseif show.next then call('HSET', key, 'seq', show.next) end
  if show.userskey then
    local counts = {}
    for user, units in pairs(show.users) do
      counts[#counts + 1] = user
      counts[#counts + 1] = string.format('%.0f', units)
    end
    call('HSET', show.userskey, unpack(counts))
  end
end
return answers
