#include "connection/redis_scripts.h"

namespace offhook::connection {
namespace {

const std::string kCommon = R"(
local me, channel, lease, newest = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local place = redis.call('HMGET', KEYS[1], 'by', 'fence')
local wish = redis.call('HMGET', KEYS[2], 'by', 'fence')
local function next_fence()
  local time = redis.call('TIME')
  local fence = string.format('%.0f', math.max(
    tonumber(redis.call('GET', KEYS[3]) or '0') + 1, newest + 1, time[1] * 1000000 + time[2]))
  redis.call('SET', KEYS[3], fence)
  return fence
end
local function tell(who, ...)
  redis.call('PUBLISH', channel .. who, table.concat({...}, ' ') .. ' ' .. KEYS[1])
end
-- Also a place of ours that we do not know of: its grant never reached us.
local function is_free(held)
  return not place[1] or (place[1] == me and place[2] ~= held)
end
local function grant()
  local fence = next_fence()
  redis.call('HSET', KEYS[1], 'by', me, 'fence', fence)
  redis.call('PEXPIRE', KEYS[1], lease)
  redis.call('DEL', KEYS[2])
  return {'granted', fence}
end
local function wait(fence)
  redis.call('HSET', KEYS[2], 'by', me, 'fence', fence)
  redis.call('PEXPIRE', KEYS[2], lease)
  return {'wait', fence, place[1], place[2], math.max(0, redis.call('PTTL', KEYS[1]))}
end
)";

}  // namespace

const std::string RedisScripts::kProbe = kCommon + "return {next_fence()}";

const std::string RedisScripts::kAsk = kCommon + R"(
if wish[1] and wish[1] ~= me then tell(wish[1], 'refused', wish[2]) end
if is_free(ARGV[5]) then return grant() end
local fence = next_fence()
if place[1] ~= me then tell(place[1], 'wanted', place[2], fence) end
return wait(fence)
)";

const std::string RedisScripts::kClaim = kCommon + R"(
local mine = tonumber(ARGV[6])
if wish[1] and tonumber(wish[2]) > mine then return {'conflict'} end
if is_free(ARGV[5]) then return grant() end
if tonumber(place[2]) > mine then return {'conflict'} end
return wait(ARGV[6])
)";

const std::string RedisScripts::kKeep = kCommon + R"(
local fence = tonumber(ARGV[5])
if place[1] then
  local theirs = tonumber(place[2])
  if theirs > fence or (theirs == fence and place[1] ~= me) then return {'lost'} end
  if place[1] ~= me then tell(place[1], 'lost', place[2]) end
end
redis.call('HSET', KEYS[1], 'by', me, 'fence', ARGV[5])
redis.call('PEXPIRE', KEYS[1], lease)
if tonumber(redis.call('GET', KEYS[3]) or '0') < fence then redis.call('SET', KEYS[3], ARGV[5]) end
return {'kept', wish[2] or '0'}
)";

const std::string RedisScripts::kRelease = kCommon + R"(
if place[1] ~= me or place[2] ~= ARGV[5] then return {} end
redis.call('DEL', KEYS[1])
if wish[1] and wish[1] ~= me then tell(wish[1], 'freed', wish[2]) end
return {'freed'}
)";

}  // namespace offhook::connection
