import { ConfigError, KeelsonError } from '../../../core/errors.ts';
import { OptionChecker } from '../../../core/options.ts';
import { loadPeer } from '../../../storage/index.ts';
import type { LimiterStore, Taken } from '../limiter-store.ts';
import { fullFor, granted, grantedAt, inMicros, inTicks, refused } from '../limiter-store.ts';
import type { Rate } from '../quota/gcra.ts';
import type { RateWindow } from '../quota/window-log.ts';
import type { RedisScript } from './redis-scripts.ts';
import { BUCKET_SCRIPT, GIVE_BACK_SCRIPT, WINDOW_SCRIPT } from './redis-scripts.ts';

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
/** The key of a bucket is a string, that of a window a list: stands behind the latter. */
const WINDOW_SUFFIX = ':window';

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

  async function ask({ source, sha }: RedisScript, name: string, ...values: number[]): Promise<unknown> {
    if (isClosed) throw new KeelsonError('ERR_KEELSON_STORE_CLOSED', 'The limiter store is closed.');
    const redis = client ?? (await connection());
    try {
      return await redis.evalsha(sha, 1, name, ...values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return redis.eval(source, 1, name, ...values);
    }
  }

  /** Asks together with all that is asked under `id` in this turn of the event loop. */
  function together(id: string, question: Question): Promise<Taken> {
    const asked = batches.get(id);
    if (asked) return asked.join();
    const batch = new Batch(question);
    batches.set(id, batch);
    process.nextTick(() => {
      batches.delete(id);
      void batch.settle();
    });
    return batch.join();
  }

  return {
    take(key: string, rate: Rate): Promise<Taken> {
      const ticks = inTicks(rate);
      const { interval, tolerance } = ticks;
      return together(`${interval} ${tolerance} ${key}`, async (asked) => {
        const answer = await ask(BUCKET_SCRIPT, prefix + key, interval, tolerance, asked);
        const [count, ahead] = numbersOf(answer, 2);
        return (index) =>
          index < count
            ? granted(ahead + (index + 1) * interval, ticks)
            : refused(ahead + count * interval, ticks);
      });
    },
    takeFromWindow(key: string, window: RateWindow): Promise<Taken> {
      const micros = inMicros(window);
      const { limit, per } = micros;
      return together(`window ${limit} ${per} ${key}`, async (asked) => {
        const answer = await ask(WINDOW_SCRIPT, prefix + key + WINDOW_SUFFIX, limit, per, asked);
        const [count, before, at, wait] = numbersOf(answer, 4);
        return (index) => (index < count ? grantedAt(at, before + index + 1, micros) : fullFor(wait));
      });
    },
    async giveBack(key: string, _window: RateWindow, at: number): Promise<void> {
      await ask(GIVE_BACK_SCRIPT, prefix + key + WINDOW_SUFFIX, at);
    },
    async close(): Promise<void> {
      isClosed = true;
      own?.disconnect();
      await opening?.catch(() => undefined);
      own?.disconnect();
    },
  };
}

/** Asks for `asked` tokens at once. @returns the answer for each of them, by its place from 0 */
type Question = (asked: number) => Promise<(index: number) => Taken>;

/** What is asked for one key in one turn of the event loop is one question: together it is as atomic as each alone, and costs one round trip. */
class Batch {
  readonly #question: Question;
  readonly #asked: {
    readonly resolve: (taken: Taken) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(question: Question) {
    this.#question = question;
  }

  join(): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
    });
  }

  async settle(): Promise<void> {
    try {
      const answer = await this.#question(this.#asked.length);
      for (const [index, { resolve }] of this.#asked.entries()) resolve(answer(index));
    } catch (error) {
      for (const { reject } of this.#asked) reject(error);
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** @returns the numbers of an answer, `length` of them, and 0 for those that the type has in excess */
function numbersOf(answer: unknown, length: number): readonly [number, number, number, number] {
  const [first = 0, second = 0, third = 0, fourth = 0] = Array.isArray(answer) ? answer.map(Number) : [];
  if (Array.isArray(answer) && answer.length === length) return [first, second, third, fourth];
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
