import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import type { CallOutcome } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import type { CountingServer } from './payments-world.ts';
import {
  account,
  dead,
  UNDICI,
  fetchPost,
  lineServer,
  notRetried,
  pay,
  paymentServer,
  post,
  sendLine,
} from './payments-world.ts';

let server: CountingServer;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** @param answer what the server does with a payment; without it, it answers `ok` */
async function serve(answer?: http.RequestListener): Promise<string> {
  server = await paymentServer(answer);
  closing.push(() => server.close());
  return server.url;
}

describe('a payment that went through is not made again', () => {
  test('if the server then sends the client to a host that is down', async () => {
    const url = await serve((_, response) => response.writeHead(303, { location: dead }).end());
    const outcome = await pay(() => fetchPost(url));
    expect(outcome.error).toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test.each([
    ['fetch', fetchPost],
    ['node:http', post],
  ])('if a second request of the function, by %s, is refused', async (_, request) => {
    const url = await serve();
    const outcome = await pay(async () => {
      await request(url);
      await request(dead);
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if a second request, at the same time, is refused', async () => {
    const url = await serve();
    const outcome = await pay(async () => {
      const charge = post(url);
      const audit = fetchPost(dead);
      await Promise.allSettled([charge, audit]);
      await audit;
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if the server says in its answer that it was refused by another', async () => {
    const url = await serve((_, response) => response.writeHead(502).end('{"code":"ECONNREFUSED"}'));
    const outcome = await pay(async () => {
      const cause: unknown = JSON.parse(await fetchPost(url));
      throw new Error('502 from payments', { cause });
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if a guard within refuses what comes after it', async () => {
    const url = await serve();
    const mail = createKeelson().guard('mail', { breaker: { failures: 1 } });
    mail.breaker?.forceOpen();
    const outcome = await pay(async () => {
      await fetchPost(url);
      await mail.run('send', () => 'sent');
    });
    expect(outcome).toMatchObject({ attempts: 1, suppressed: { reason: 'not_retryable' } });
    expect(server.count).toBe(1);
  });

  test('if a guard within made it, as a call that is not idempotent either', async () => {
    const url = await serve();
    const gateway = createKeelson().guard('gateway', { retry: { retries: 2, delay: 0 } });
    const outcome = await pay(async () => {
      await gateway.run('post', () => fetchPost(url), { idempotent: false });
      await fetchPost(dead);
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if a guard within makes it, as such a call, beside a request that is refused', async () => {
    const url = await serve();
    const gateway = createKeelson().guard('gateway', { retry: { retries: 2, delay: 0 } });
    let charge: Promise<unknown> | undefined;
    const outcome = await pay(async () => {
      charge = gateway.run('post', () => fetchPost(url), { idempotent: false });
      await fetchPost(dead);
    });
    await charge;
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test.each([
    ['node:http', new http.Agent({ keepAlive: true })],
    ['fetch', undefined],
  ])('if the server resets the connection that %s keeps', async (_, agent) => {
    const url = await serve((request, response) => {
      if (server.count === 1) response.end('ok');
      else request.socket.resetAndDestroy();
    });
    const request = (): Promise<string> => (agent ? post(url, { agent }) : fetchPost(url));
    await request();
    expect(account(await pay(request), server)).toEqual(notRetried(2));
  });

  test('if the code that makes it is detached from the function', async () => {
    const url = await serve();
    let detached: Promise<unknown> | undefined;
    const outcome = await pay(async () => {
      detached = fetchPost(url);
      await fetchPost(dead);
    });
    await detached;
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('on a connection of HTTP/2 that was there before', async () => {
    const peer = http2.createServer();
    server = { url: '', port: 0, count: 0, close: async () => {} };
    peer.on('stream', (stream) => {
      server.count += 1;
      stream.respond();
      stream.end('ok');
    });
    peer.listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(peer.address() as net.AddressInfo).port}`);
    await once(session, 'connect');
    closing.push(
      () => peer.close(),
      () => session.close(),
    );
    const outcome = await pay(async () => {
      const stream = session.request({ ':method': 'POST' });
      await Promise.all([fetchPost(dead), once(stream.resume(), 'end')]);
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test.each(UNDICI)(
    'if it waited in an exhausted pool of %s, where no channel tells of it',
    async (_, undici) => {
      const held: http.ServerResponse[] = [];
      let arrived: () => void = () => {};
      const first = new Promise<void>((resolve) => (arrived = resolve));
      const url = await serve((_request, response) => {
        if (server.count > 1) response.end('ok');
        else {
          held.push(response);
          arrived();
        }
      });
      const pool = new undici.Pool(new URL(url).origin, { connections: 1, pipelining: 1 });
      closing.push(() => pool.destroy());
      const request = async (): Promise<string> => {
        const { body } = await pool.request({ path: '/charge', method: 'POST', body: 'amount=7' });
        return body.text();
      };
      const other = request();
      await first;
      const outcome = pay(async () => {
        await request();
        await fetchPost(dead);
      });
      held[0]?.end('ok');
      await other;
      expect(account(await outcome, server)).toEqual(notRetried(2));
    },
  );
});

describe('what was sent on a raw connection, as that to a database, is not sent again', () => {
  test('if the connection is a new one, beside a request that is refused', async () => {
    server = await lineServer();
    closing.push(() => server.close());
    const outcome = await pay(async () => {
      const socket = net.connect(server.port, '127.0.0.1');
      closing.unshift(() => socket.destroy());
      const refused = fetchPost(dead);
      refused.catch(() => {});
      await once(socket, 'connect');
      await sendLine(socket);
      await refused;
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if the connection was there before, and a request after it is refused', async () => {
    server = await lineServer();
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    closing.push(
      () => socket.destroy(),
      () => server.close(),
    );
    const outcome = await pay(async () => {
      await sendLine(socket);
      await fetchPost(dead);
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });

  test('if the connection was there before, and its answer comes after a request beside it is refused', async () => {
    server = await lineServer();
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    closing.push(
      () => socket.destroy(),
      () => server.close(),
    );
    const outcome = await pay(async () => {
      const refused = fetchPost(dead);
      await Promise.allSettled([refused, refused.catch(() => sendLine(socket))]);
      await refused;
    });
    expect(account(outcome, server)).toEqual(notRetried(1));
  });
});

describe('code that an attempt left behind', () => {
  /** Pays on a fake clock: the first attempt is refused, and what it left behind is let go in the backoff before retry `when`. */
  async function payWithLeftover(when: number): Promise<CallOutcome<unknown>> {
    const url = await serve();
    const clock = new FakeClock();
    const payments = createKeelson({ clock }).guard('payments', {
      retry: { retries: 3, delay: '1s', jitter: 0 },
    });
    let letGo: () => void = () => {};
    const signal = new Promise<void>((resolve) => (letGo = resolve));
    let leftover: Promise<unknown> = Promise.resolve();
    payments.on((event) => {
      if (event.type !== 'retry.scheduled') return;
      if (event.attempt === when) letGo();
      const { attempt, delayMs } = event;
      void (attempt === when ? leftover : Promise.resolve()).then(() => clock.advance(delayMs));
    });
    return payments.outcome(
      'charge',
      async ({ attempt }) => {
        if (attempt === 0) leftover = signal.then(() => fetchPost(url));
        await fetchPost(dead);
      },
      { idempotent: false },
    );
  }

  test.each([1, 2])('ends the retries if it sends something in backoff %d', async (when) => {
    const outcome = await payWithLeftover(when);
    expect(outcome).toMatchObject({
      outcome: 'failure',
      attempts: when,
      suppressed: { reason: 'not_idempotent' },
      error: { message: 'fetch failed' },
    });
    expect(server.count).toBe(1);
  });
});
