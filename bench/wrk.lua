-- Asks for each path of a list in turn; the end is one line of JSON. Arguments: the list (path, tab, a tag to send back).
local asked, at = {}, 0
function init(args)
  math.randomseed(tonumber(args[2]))
  for line in io.lines(args[1]) do
    local path, tag = line:match("^([^\t]*)\t?(.*)$")
    local headers = {}
    if args[3] then headers["Accept-Encoding"] = args[3] end
    if tag ~= "" then headers["If-None-Match"] = tag end
    asked[#asked + 1] = wrk.format("GET", path, headers)
  end
  at = math.random(#asked)
end
function request()
  at = at % #asked + 1
  return asked[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"bytes":%d,"p50":%d,"p95":%d,"p99":%d,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
