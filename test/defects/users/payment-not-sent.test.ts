import http from 'node:http';
import type * as undici7 from 'undici7';
import { afterEach, describe, expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { GuardOptions } from '../../../src/index.ts';
import { notSent } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import {
  dead,
  deadHost,
  fetchPost,
  noSuchHost,
  pay,
  paymentServer,
  post,
  silent,
  twoAddresses,
  UNDICI,
} from './payments-world.ts';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('a payment whose connection is refused is retried', () => {
  test('with the `fetch` of Node', async () => {
    const outcome = await pay(() => fetchPost(dead));
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(outcome).not.toHaveProperty('suppressed');
  });

  test('with `node:http`, with and without an agent that keeps connections', async () => {
    const agent = new http.Agent({ keepAlive: true });
    expect(await pay(() => post(dead))).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(await pay(() => post(dead, { agent }))).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('with a client that wraps the error of `node:http` as the cause of its own, as axios and got do', async () => {
    const outcome = await pay(async () => {
      await post(dead).catch((cause: unknown) => {
        throw new Error('RequestError', { cause });
      });
    });
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('with a client whose request fails before it has ended it, as that of got does', async () => {
    const outcome = await pay(
      () =>
        new Promise((_, reject) => {
          http.request(dead, { method: 'POST', agent: false }).on('error', reject);
        }),
    );
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('within another guard, which does not retry', async () => {
    const gateway = createKeelson().guard('gateway', {
      breaker: { failures: 50 },
      timeout: { attempt: '10s' },
    });
    const outcome = await pay(() => gateway.run('post', () => fetchPost(dead)));
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('and made once if the server is back by then', async () => {
    const clock = new FakeClock();
    const payments = createKeelson({ clock }).guard('payments', { retry: { delay: '1s', jitter: 0 } });
    const server = await paymentServer();
    closing.push(() => server.close());
    const urls = [dead, dead, server.url];
    const scheduled: number[] = [];
    payments.on((event) => {
      if (event.type !== 'retry.scheduled') return;
      scheduled.push(event.attempt);
      queueMicrotask(() => void clock.advance(10_000));
    });
    const outcome = await payments.outcome('charge', ({ attempt }) => fetchPost(urls[attempt] ?? ''), {
      idempotent: false,
    });
    expect(outcome).toMatchObject({ outcome: 'success', value: 'ok', attempts: 3 });
    expect({ scheduled, payments: server.count }).toEqual({ scheduled: [1, 2], payments: 1 });
  });
});

describe('a payment that never got a connection is retried', () => {
  test('if the name of the host is not known', async () => {
    expect(await pay(() => post(deadHost, { lookup: noSuchHost }))).toMatchObject({
      outcome: 'failure',
      attempts: 3,
      error: { code: 'ENOTFOUND' },
    });
  });

  test('if none of the addresses of the host answers', async () => {
    const outcome = await pay(() => post(deadHost, { lookup: twoAddresses }));
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(outcome.error).toBeInstanceOf(AggregateError);
  });

  test('if the client of `node:http` gives up while it connects', async () => {
    const outcome = await pay(
      () =>
        new Promise((_, reject) => {
          const request = http.request(deadHost, { method: 'POST', agent: false, lookup: silent });
          request.on('error', reject);
          request.end('amount=7');
          setImmediate(() => request.destroy(new Error('no connection in time')));
        }),
    );
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('if it waited for a free connection of an agent, and the server went away meanwhile', async () => {
    const held: http.ServerResponse[] = [];
    let arrived: () => void = () => {};
    const first = new Promise<void>((resolve) => (arrived = resolve));
    const server = await paymentServer((_, response) => {
      held.push(response);
      arrived();
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const other = post(server.url, { agent }).catch(() => 'cut off');
    await first;
    const outcome = pay(() => post(server.url, { agent }));
    await server.close();
    expect(await outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect([await other, server.count]).toEqual(['cut off', 1]);
  });
});

describe.each(UNDICI)('a payment with %s of npm that never got a connection', (_name, undici) => {
  const init = { method: 'POST', body: 'amount=7' } as const;

  test('is retried with its `request`, its `fetch`, an Agent and a Pool', async () => {
    const agent = new undici.Agent();
    const pool = new undici.Pool(new URL(dead).origin, { connections: 1 });
    closing.push(
      () => agent.close(),
      () => pool.close(),
    );
    const outcomes = [
      await pay(() => undici.request(dead, { ...init, dispatcher: agent })),
      await pay(() => undici.fetch(dead, init)),
      await pay(() => pool.request({ path: '/charge', ...init })),
    ];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('is retried if the name of the host is not known', async () => {
    const agent = new undici.Agent({ connect: { lookup: noSuchHost } });
    closing.push(() => agent.close());
    const outcome = await pay(() => undici.request(deadHost, { ...init, dispatcher: agent }));
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3, error: { code: 'ENOTFOUND' } });
  });

  test('is retried if the connection takes too long', async () => {
    const connect: undici7.buildConnector.connector = (_, callback) => {
      setImmediate(() => callback(new undici.errors.ConnectTimeoutError('late'), null));
    };
    const agent = new undici.Agent({ connect });
    closing.push(() => agent.close());
    const outcome = await pay(() => undici.request(dead, { ...init, dispatcher: agent }));
    expect(outcome).toMatchObject({ attempts: 3, error: { code: 'UND_ERR_CONNECT_TIMEOUT' } });
  });

  test('is retried if none of the addresses of the host answers', async () => {
    const agent = new undici.Agent({ connect: { lookup: twoAddresses } });
    closing.push(() => agent.close());
    const outcome = await pay(() => undici.request(deadHost, { ...init, dispatcher: agent }));
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(outcome.error).toBeInstanceOf(AggregateError);
  });

  test('is not retried if it waited in an exhausted pool: it begins later, and perhaps in another call', async () => {
    let arrived: () => void = () => {};
    const first = new Promise<void>((resolve) => (arrived = resolve));
    const server = await paymentServer(() => arrived());
    const pool = new undici.Pool(new URL(server.url).origin, { connections: 1, pipelining: 1 });
    closing.push(() => pool.destroy());
    const other = pool.request({ path: '/charge', ...init }).catch(() => 'cut off');
    await first;
    const outcome = pay(() => pool.request({ path: '/charge', ...init }));
    await server.close();
    expect(await outcome).toMatchObject({ attempts: 1, suppressed: { reason: 'not_idempotent' } });
    expect([await other, server.count]).toEqual(['cut off', 1]);
  });
});

describe('a payment whose error is marked with `notSent`', () => {
  test('is retried, whatever was sent before: whoever marked it knows better', async () => {
    const server = await paymentServer((_, response) => response.writeHead(503).end());
    closing.push(() => server.close());
    const outcome = await pay(async () => {
      await fetchPost(server.url);
      throw notSent(new Error('the gateway was full, and took nothing'));
    });
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
    expect(server.count).toBe(3);
  });

  test('is retried once more if the attempt after it surely sent nothing', async () => {
    const server = await paymentServer();
    closing.push(() => server.close());
    const outcome = await pay(async ({ attempt }) => {
      if (attempt > 0) return fetchPost(dead);
      await fetchPost(server.url);
      throw notSent(new Error('took nothing'));
    });
    expect(outcome).toMatchObject({ outcome: 'failure', attempts: 3 });
  });

  test('is not retried if the mark is on a cause', async () => {
    const outcome = await pay(() => {
      throw new Error('wrapped', { cause: notSent(new Error('no')) });
    });
    expect(outcome).toMatchObject({ attempts: 1, suppressed: { reason: 'not_idempotent' } });
  });

  test('is not retried by a guard around one whose fallback stood in for the error', async () => {
    const mail = createKeelson().guard('mail', { fallback: { value: 'later' } });
    const outcome = await pay(async () => {
      const sent = await mail.outcome('send', () => {
        throw notSent(new Error('the mail server is full'));
      });
      throw sent.error;
    });
    expect(outcome).toMatchObject({ attempts: 1, suppressed: { reason: 'not_idempotent' } });
  });

  test.each<[string, GuardOptions, number]>([
    ['retries too', { retry: { retries: 1, delay: 0 } }, 2],
    ['has a breaker at most', { breaker: { failures: 50 } }, 1],
    ['has a timeout', { timeout: { attempt: '10s' } }, 1],
  ])(
    'is not retried by a guard around the one that it was thrown in, which %s',
    async (_, options, sends) => {
      const mail = createKeelson().guard('mail', options);
      let charges = 0;
      let mails = 0;
      const outcome = await pay(async () => {
        charges += 1;
        const send = (): never => {
          mails += 1;
          throw notSent(new Error('the mail server is full'));
        };
        await mail.run('send', send, { idempotent: false });
      });
      expect(outcome).toMatchObject({ attempts: 1, suppressed: { reason: 'not_idempotent' } });
      expect({ charges, mails }).toEqual({ charges: 1, mails: sends });
    },
  );
});
