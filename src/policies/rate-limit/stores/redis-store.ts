import { createHash } from 'node:crypto';
import { ConfigError, KeelsonError } from '../../../core/errors.ts';
import { OptionChecker } from '../../../core/options.ts';
import { loadPeer } from '../../../storage/index.ts';
import type { Rate } from '../gcra.ts';
import type { LimiterStore, Taken, TickRate } from '../limiter-store.ts';
import {
  CLOCK_STEP_TICKS,
  granted,
  inTicks,
  refused,
  TICKS_PER_MS,
  TICKS_START_MS,
} from '../limiter-store.ts';

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
  connect(): Promise<void>;
  disconnect(): void;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

const DEFAULT_PREFIX = 'limiter:';

/**
 * One script, one key, the clock of the server. Gives as many tokens as there are, up to the number asked for. A key lives as long as its bucket
 * is not full: a full one and none at all are the same.
 */
const SCRIPT = `local time = redis.call('TIME')
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
return {granted, ahead}`;
const SHA = createHash('sha1').update(SCRIPT).digest('hex');

/**
 * A limit that all processes with the same Redis share.
 * @throws {ConfigError} without a client and without an address, and for options that do not exist
 */
export function redisStore(options: RedisStoreOptions): LimiterStore {
  const check = new OptionChecker('redisStore');
  check.keys(options, ['prefix', 'client', 'url']);
  check.done();
  const { prefix = DEFAULT_PREFIX, client } = options;
  const address = options.url ?? '';
  if (!client && address === '')
    throw new ConfigError('redisStore', ['Expected `client` or `url` to be given, got neither.']);
  let own: OwnClient | undefined;
  let opening: Promise<OwnClient> | undefined;
  let ready: OwnClient | undefined;
  let isClosed = false;
  const batches = new Map<string, Batch>();

  /** The first question waits for the connection. Later ones do not: while it is lost they fail at once. */
  function connection(): Promise<OwnClient> | OwnClient {
    if (ready) return ready;
    opening ??= newClient(address)
      .then(async (opened) => {
        own = opened;
        let reason: unknown;
        opened.on('error', (error) => {
          reason = error;
        });
        await opened.connect().catch((error: unknown) => {
          throw reason ?? error;
        });
        ready = opened;
        return opened;
      })
      .catch((error: unknown) => {
        own?.disconnect();
        own = undefined;
        opening = undefined;
        throw error;
      });
    return opening;
  }

  async function ask(name: string, { interval, tolerance }: TickRate, count: number): Promise<unknown> {
    const redis = client ?? (await connection());
    try {
      return await redis.evalsha(SHA, 1, name, interval, tolerance, count);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return redis.eval(SCRIPT, 1, name, interval, tolerance, count);
    }
  }

  return {
    take(key: string, rate: Rate): Promise<Taken> {
      if (isClosed)
        return Promise.reject(new KeelsonError('ERR_KEELSON_STORE_CLOSED', 'The limiter store is closed.'));
      const ticks = inTicks(rate);
      const id = `${ticks.interval} ${ticks.tolerance} ${key}`;
      const asked = batches.get(id);
      if (asked) return asked.join();
      const batch = new Batch(ticks);
      batches.set(id, batch);
      process.nextTick(() => {
        batches.delete(id);
        void batch.settle((count) => ask(prefix + key, ticks, count));
      });
      return batch.join();
    },
    async close(): Promise<void> {
      isClosed = true;
      own?.disconnect();
      await opening?.catch(() => undefined);
      own?.disconnect();
    },
  };
}

/** What is asked for one key in one turn of the event loop is one question: together it is as atomic as each alone, and costs one round trip. */
class Batch {
  readonly #ticks: TickRate;
  readonly #asked: {
    readonly resolve: (taken: Taken) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(ticks: TickRate) {
    this.#ticks = ticks;
  }

  join(): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
    });
  }

  async settle(ask: (count: number) => Promise<unknown>): Promise<void> {
    try {
      const [count, ahead] = numbersOf(await ask(this.#asked.length));
      const { interval } = this.#ticks;
      for (const [index, { resolve }] of this.#asked.entries()) {
        resolve(
          index < count
            ? granted(ahead + (index + 1) * interval, this.#ticks)
            : refused(ahead + count * interval, this.#ticks),
        );
      }
    } catch (error) {
      for (const { reject } of this.#asked) reject(error);
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function numbersOf(answer: unknown): readonly [count: number, ahead: number] {
  const [count, ahead] = Array.isArray(answer) ? answer.map(Number) : [];
  if (count !== undefined && ahead !== undefined) return [count, ahead];
  throw new KeelsonError('ERR_KEELSON_STORE_ANSWER', 'Redis gave an answer that the limiter does not know.');
}

/** Commands fail at once while the server is away: a token that is asked for late would be taken for nobody. */
async function newClient(url: string): Promise<OwnClient> {
  const ioredis = await loadPeer('ioredis', () => import('ioredis'), 'redisStore({ client })');
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
