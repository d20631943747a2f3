-- What wrk sends: the requests of a file in turn, from the first on, each a line "METHOD path" or "METHOD path body", with the headers
-- of the command line. With a second file, of a login token a line, each request is sent once by each of those people before the next
-- one is; with the word "paired" behind it, each of those people sends one of the requests. At the end it prints one line of JSON for wrk.go.
local requests, last = {}, 0

function init(args)
  local lines, tokens = {}, {false}
  for line in io.lines(args[1]) do lines[#lines + 1] = line end
  if args[2] then
    tokens = {}
    for token in io.lines(args[2]) do tokens[#tokens + 1] = token end
  end
  local function add(line, token)
    local method, path, body = line:match('^(%S+) (%S+) ?(.*)$')
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    if body == '' then body = nil else headers['Content-Type'] = 'application/json' end
    if token then headers['Authorization'] = 'Bearer ' .. token end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
  if args[3] == 'paired' then
    for i, token in ipairs(tokens) do add(lines[(i - 1) % #lines + 1], token) end
    return
  end
  for _, line in ipairs(lines) do
    for _, token in ipairs(tokens) do add(line, token) end
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\nresult {"requests":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
