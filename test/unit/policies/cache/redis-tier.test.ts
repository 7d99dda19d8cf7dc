import { afterEach, describe, expect, test, vi } from 'vitest';
import type { RedisTierClient, RedisTierTransaction } from '../../../../src/policies/cache/index.ts';
import { redisTier } from '../../../../src/policies/cache/index.ts';
import { buildCache, shown, source } from './build-cache.ts';

type Reply = [error: Error | null, result: unknown];

/** A client that notes its commands and gives the replies to GET and PTTL that the test wants. */
function clientWith(replies: Reply[] | null): RedisTierClient & { readonly commands: string[] } {
  const commands: string[] = [];
  const transaction: RedisTierTransaction = {
    get: (key) => {
      commands.push(`GET ${key}`);
      return transaction;
    },
    pttl: (key) => {
      commands.push(`PTTL ${key}`);
      return transaction;
    },
    exec: async () => replies,
  };
  return {
    commands,
    multi: () => transaction,
    set: async (...command) => commands.push(`SET ${command.join(' ')}`),
    del: async (key) => commands.push(`DEL ${key}`),
  };
}

const FOUND: Reply[] = [
  [null, '{"v":1,"freshMs":1000,"keepMs":1000,"value":"shared"}'],
  [null, 700],
];

describe('the tier in Redis', () => {
  test('reads a value and what remains of it in one transaction', async () => {
    const client = clientWith(FOUND);
    const { cache } = buildCache({ secondTier: redisTier({ client, prefix: 'shop:' }) });
    expect(shown(await cache.through('a', source()))).toBe('hit shared 300');
    expect(client.commands).toEqual(['GET shop:a', 'PTTL shop:a']);
  });

  test('never makes a value younger than it can be', async () => {
    const [value = [null, null]] = FOUND;
    const { cache } = buildCache({ secondTier: redisTier({ client: clientWith([value, [null, 5_000]]) }) });
    expect(shown(await cache.through('a', source()))).toBe('hit shared 0');
  });

  test('writes a value as JSON for as long as it may be of use, and deletes it', async () => {
    const client = clientWith([
      [null, null],
      [null, -2],
    ]);
    const { cache } = buildCache({ secondTier: redisTier({ client }), staleIfError: 500 });
    await cache.through('a', source());
    await cache.delete('a');
    expect(client.commands.slice(2)).toEqual([
      'SET cache:a {"v":1,"freshMs":1000,"keepMs":1500,"value":"v1"} PX 1500',
      'DEL cache:a',
    ]);
  });

  test.each<[string, Reply[] | null]>([
    [
      'is unknown',
      [
        [null, null],
        [null, -2],
      ],
    ],
    [
      'expires between the two reads',
      [
        [null, 'text'],
        [null, -2],
      ],
    ],
    [
      'has no end',
      [
        [null, 'text'],
        [null, -1],
      ],
    ],
    ['was not read', null],
  ])('has nothing for a key that %s', async (_what, replies) => {
    expect(await redisTier({ client: clientWith(replies) }).get('a')).toBeUndefined();
  });

  test('fails where a command of the transaction fails', async () => {
    const error = new Error('WRONGTYPE');
    await expect(redisTier({ client: clientWith([[error, null]]) }).get('a')).rejects.toBe(error);
  });

  test('leaves a client that was passed in alone', async () => {
    const client = clientWith(null);
    const tier = redisTier({ client });
    await tier.connect();
    await tier.close();
    expect(client.commands).toEqual([]);
  });

  test('says which address it needs', () => {
    // @ts-expect-error a client or an address is needed
    expect(() => redisTier({})).toThrow(
      /^redisTier: Expected `url` to be the address of a server, got undefined/,
    );
    expect(() => redisTier({ url: '127.0.0.1' })).toThrow(/redis:\/\/127\.0\.0\.1:6379/);
    // @ts-expect-error only one of the two
    expect(() => redisTier({ client: clientWith(null), url: 'redis://h' })).toThrow(/beside `client`/);
    // @ts-expect-error no such option
    expect(() => redisTier({ url: 'redis://h', prefx: 'a' })).toThrow(/Did you mean `prefix`\?/);
    // @ts-expect-error not a string
    expect(() => redisTier({ url: 'redis://h', prefix: 1 })).toThrow(/`prefix` to be a string, got 1/);
  });
});

describe('without the package ioredis', () => {
  afterEach(() => {
    vi.doUnmock('ioredis');
  });

  test('connecting says what to install, and a call does not suffer', async () => {
    vi.doMock('ioredis', () => {
      throw new Error('Cannot find package');
    });
    const tier = redisTier({ url: 'redis://127.0.0.1:1' });
    await expect(tier.connect()).rejects.toMatchObject({
      code: 'ERR_KEELSON_PEER_MISSING',
      hint: expect.stringContaining('npm install "ioredis@>=5.4.0"') as string,
    });
    const { cache, tierErrors } = buildCache({ secondTier: tier });
    expect(shown(await cache.through('a', source()))).toBe('miss v1 0');
    expect(tierErrors).toMatchObject([{ code: 'ERR_KEELSON_PEER_MISSING' }]);
    await tier.close();
  });
});

test('a server that is not there fails the connection, and no call', async () => {
  const tier = redisTier({ url: 'redis://127.0.0.1:1' });
  await expect(tier.connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await tier.close();
  await expect(tier.get('a')).rejects.toMatchObject({ code: 'ERR_KEELSON_TIER_CLOSED' });
});
