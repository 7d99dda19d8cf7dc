import { createHash } from 'node:crypto';
import { KeelsonError } from '../../../core/errors.ts';
import type { Rate } from '../gcra.ts';
import type { LimiterStore, Taken } from '../limiter-store.ts';
import {
  CLOCK_STEP_TICKS,
  granted,
  inTicks,
  refused,
  TICKS_PER_MS,
  TICKS_START_MS,
} from '../limiter-store.ts';
import { peerMissing } from './peer-missing.ts';

/** The part of an `ioredis` client (or cluster) that the store uses. */
export interface RedisLimiterClient {
  evalsha(sha: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

/** How to reach Redis 5 or newer: an `ioredis` client of yours, or the address for one of the store's own. */
export type RedisStoreOptions = {
  /** Stands before every key. @defaultValue 'limiter:' */
  readonly prefix?: string;
} & (
  | { readonly client: RedisLimiterClient; readonly url?: undefined }
  | { readonly url: string; readonly client?: undefined }
);

/** A client that the store has made. */
interface OwnClient extends RedisLimiterClient {
  readonly status: string;
  connect(): Promise<void>;
  disconnect(): void;
}

const DEFAULT_PREFIX = 'limiter:';

/** One script, one key, the clock of the server. A key lives as long as its bucket is not full: a full one and none at all are the same. */
const SCRIPT = `local time = redis.call('TIME')
local now = (time[1] - ${TICKS_START_MS / 1_000}) * ${TICKS_PER_MS * 1_000} + time[2] * ${TICKS_PER_MS / 1_000}
local interval = tonumber(ARGV[1])
local tolerance = tonumber(ARGV[2])
local ahead = (tonumber(redis.call('GET', KEYS[1])) or now) - now
if ahead < 0 then ahead = 0 elseif ahead > tolerance + ${CLOCK_STEP_TICKS} then ahead = tolerance - interval end
if ahead + interval > tolerance then return {0, ahead} end
ahead = ahead + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / ${TICKS_PER_MS}))
return {1, ahead}`;
const SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** A limit that all processes with the same Redis share. */
export function redisStore(options: RedisStoreOptions): LimiterStore {
  const { prefix = DEFAULT_PREFIX, client, url } = options;
  let own: Promise<OwnClient> | undefined;
  let isClosed = false;

  async function connection(): Promise<RedisLimiterClient> {
    if (client) return client;
    own ??= newClient(url).catch((error: unknown) => {
      own = undefined;
      throw error;
    });
    const opened = await own;
    if (opened.status === 'wait') await opened.connect();
    return opened;
  }

  return {
    async take(key: string, rate: Rate): Promise<Taken> {
      if (isClosed) throw new KeelsonError('ERR_KEELSON_STORE_CLOSED', 'The limiter store is closed.');
      const redis = client ?? (await connection());
      const ticks = inTicks(rate);
      const name = prefix + key;
      let answer: unknown;
      try {
        answer = await redis.evalsha(SHA, 1, name, ticks.interval, ticks.tolerance);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        answer = await redis.eval(SCRIPT, 1, name, ticks.interval, ticks.tolerance);
      }
      const [isGranted, ahead] = numbersOf(answer);
      return isGranted === 1 ? granted(ahead, ticks) : refused(ahead, ticks);
    },
    async close(): Promise<void> {
      isClosed = true;
      const opened = await own?.catch(() => undefined);
      own = undefined;
      opened?.disconnect();
    },
  };
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function numbersOf(answer: unknown): readonly [granted: number, ahead: number] {
  const [isGranted, ahead] = Array.isArray(answer) ? answer.map(Number) : [];
  if (isGranted !== undefined && ahead !== undefined) return [isGranted, ahead];
  throw new KeelsonError('ERR_KEELSON_STORE_ANSWER', 'Redis gave an answer that the limiter does not know.');
}

/** Commands fail at once while the server is away: a token that is asked for late would be taken for nobody. */
async function newClient(url: string): Promise<OwnClient> {
  const ioredis = await import('ioredis').catch((cause: unknown) => {
    throw peerMissing('ioredis', 'redisStore({ client })', cause);
  });
  const client = new ioredis.Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  // Every failed command says so itself; without a listener the client would print each failed connection.
  client.on('error', () => {});
  return client;
}
