import { createHash } from 'node:crypto';
import { CLOCK_STEP_MICROS, CLOCK_STEP_TICKS, TICKS_PER_MS, TICKS_START_MS } from '../limiter-store.ts';

/** A script and the hash under which the server knows it. */
export interface RedisScript {
  readonly source: string;
  readonly sha: string;
}

/**
 * A bucket: one script, one key, the clock of the server. Gives as many tokens as there are, up to the number asked for. A key lives as long as its bucket
 * is not full: a full one and none at all are the same.
 */
export const BUCKET_SCRIPT: RedisScript = script(`local time = redis.call('TIME')
local now = (time[1] - ${TICKS_START_MS / 1_000}) * ${TICKS_PER_MS * 1_000} + time[2] * ${TICKS_PER_MS / 1_000}
local interval = tonumber(ARGV[1])
local tolerance = tonumber(ARGV[2])
local ahead = (tonumber(redis.call('GET', KEYS[1])) or now) - now
if ahead < 0 then ahead = 0 elseif ahead > tolerance + ${CLOCK_STEP_TICKS} then ahead = tolerance - interval end
local granted = math.max(0, math.min(tonumber(ARGV[3]), math.floor((tolerance - ahead) / interval)))
if granted > 0 then
  local after = ahead + granted * interval
  redis.call('SET', KEYS[1], string.format('%.0f', now + after), 'PX', math.ceil(after / ${TICKS_PER_MS}))
end
return {granted, ahead}`);

/**
 * A window: the list has the time of each grant in microseconds, the oldest first. Those that are a period old are removed, and what is then short of the
 * limit is granted. A clock that was set back takes the list along; one that is less than a minute behind stands still. A key lives for a period
 * after its last grant.
 */
export const WINDOW_SCRIPT: RedisScript = script(`local time = redis.call('TIME')
local now = (time[1] - ${TICKS_START_MS / 1_000}) * 1000000 + time[2]
local limit = tonumber(ARGV[1])
local per = tonumber(ARGV[2])
local last = tonumber(redis.call('LINDEX', KEYS[1], -1) or now)
if last > now + ${CLOCK_STEP_MICROS} then
  local starts = redis.call('LRANGE', KEYS[1], 0, -1)
  redis.call('DEL', KEYS[1])
  for _, start in ipairs(starts) do
    redis.call('RPUSH', KEYS[1], string.format('%.0f', tonumber(start) - last + now))
  end
  redis.call('PEXPIRE', KEYS[1], math.ceil(per / 1000))
  last = now
end
local at = math.max(now, last)
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= at - per do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local counted = redis.call('LLEN', KEYS[1])
local granted = math.max(0, math.min(tonumber(ARGV[3]), limit - counted))
for _ = 1, granted do
  redis.call('RPUSH', KEYS[1], string.format('%.0f', at))
end
if granted > 0 then
  redis.call('PEXPIRE', KEYS[1], math.ceil((at - now + per) / 1000))
end
local blocking = redis.call('LINDEX', KEYS[1], counted + granted - limit) or at
return {granted, counted, at, tonumber(blocking) + per - now}`);

/** Removes one grant of that time, the newest of them: which of several does not matter. */
export const GIVE_BACK_SCRIPT: RedisScript = script(
  "return redis.call('LREM', KEYS[1], -1, string.format('%.0f', ARGV[1]))",
);

function script(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
