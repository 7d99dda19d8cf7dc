import type { Redis } from 'ioredis';
import { KeelsonError } from '../../core/errors.ts';
import { OptionChecker } from '../../core/options.ts';
import { loadPeer } from '../../storage/index.ts';
import type { CacheTier, TierEntry } from './tier.ts';

/** The part of a transaction of `ioredis` that the tier uses. */
export interface RedisTierTransaction {
  get(key: string): RedisTierTransaction;
  pttl(key: string): RedisTierTransaction;
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}

/** The part of an `ioredis` client that the tier uses. */
export interface RedisTierClient {
  multi(): RedisTierTransaction;
  set(key: string, value: string, millisecondsToken: 'PX', milliseconds: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
}

/** How to reach Redis: an `ioredis` client of yours, or the address for one of the tier's own. */
export type RedisTierOptions = {
  /** Stands before every key. @defaultValue 'cache:' */
  readonly prefix?: string;
} & (
  | { readonly client: RedisTierClient; readonly url?: undefined }
  | { readonly url: string; readonly client?: undefined }
);

/** A second tier in Redis. */
export interface RedisTier extends CacheTier {
  /**
   * Connects now rather than at the first use, so that a wrong address or a missing package shows when the service starts.
   * @throws what stands in the way; {@link KeelsonError} (`ERR_KEELSON_PEER_MISSING`) without the package `ioredis`
   */
  connect(): Promise<void>;
  /** Closes the connection that the tier has made, for good; a client that was passed in stays open. */
  close(): Promise<void>;
}

/** A client that the tier has made, and what its connection failed with last. */
interface OwnClient {
  readonly redis: Redis;
  trouble: unknown;
}

const DEFAULT_PREFIX = 'cache:';

/**
 * A second tier in Redis. Values are JSON: one that JSON does not give back as it was, such as a date, a map or a buffer, is not kept there.
 * Whoever makes the tier closes it.
 * @throws {ConfigError} for options that cannot be used
 */
export function redisTier(options: RedisTierOptions): RedisTier {
  checkOptions(options);
  const { prefix = DEFAULT_PREFIX, client, url } = options;
  let own: Promise<OwnClient> | undefined;
  let isClosed = false;

  async function connection(): Promise<RedisTierClient> {
    if (client) return client;
    if (isClosed) throw new KeelsonError('ERR_KEELSON_TIER_CLOSED', 'The tier has been closed.');
    own ??= newClient(url);
    const { redis } = await own;
    return redis;
  }

  return {
    async get(key: string): Promise<TierEntry | undefined> {
      const redis = await connection();
      const replies = await redis
        .multi()
        .get(prefix + key)
        .pttl(prefix + key)
        .exec();
      const [text, remainingMs] = (replies ?? []).map(([error, result]) => {
        if (error) throw error;
        return result;
      });
      const isKept = typeof text === 'string' && typeof remainingMs === 'number' && remainingMs > 0;
      return isKept ? { text, remainingMs } : undefined;
    },
    async set(key: string, text: string, keepMs: number): Promise<void> {
      const redis = await connection();
      await redis.set(prefix + key, text, 'PX', keepMs);
    },
    async delete(key: string): Promise<void> {
      const redis = await connection();
      await redis.del(prefix + key);
    },
    async connect(): Promise<void> {
      await connection();
      const opened = await own;
      if (opened && opened.redis.status !== 'ready') throw opened.trouble;
    },
    async close(): Promise<void> {
      isClosed = true;
      const opened = await own?.catch(() => undefined);
      opened?.redis.disconnect();
    },
  };
}

function checkOptions({ prefix, client, url, ...unknown }: RedisTierOptions): void {
  const check = new OptionChecker('redisTier');
  check.keys({ prefix, client, url, ...unknown }, ['prefix', 'client', 'url']);
  if (prefix !== undefined && typeof prefix !== 'string')
    check.problem('prefix', 'to be a string', prefix, `The default is '${DEFAULT_PREFIX}'.`);
  if (client !== undefined && url !== undefined)
    check.problem('url', 'to be left out beside `client`', url, 'The client knows its server.');
  else if (client === undefined && (typeof url !== 'string' || !/^rediss?:\/\//.test(url)))
    check.problem('url', 'to be the address of a server', url, "Give one such as 'redis://127.0.0.1:6379'.");
  check.done();
}

/**
 * Connects once; the client goes on trying by itself. Commands fail at once while the server is away: one that is carried out later would make
 * an old value look new.
 */
async function newClient(url: string): Promise<OwnClient> {
  const ioredis = await loadPeer('ioredis', () => import('ioredis'), 'redisTier({ client })');
  const redis = new ioredis.Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  const own: OwnClient = { redis, trouble: undefined };
  redis.on('error', (error) => {
    own.trouble = error;
  });
  await redis.connect().catch((error: unknown) => {
    own.trouble ??= error;
  });
  return own;
}
