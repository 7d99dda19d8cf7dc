import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import * as undici8 from 'undici8';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CountingServer } from './payments-world.ts';
import { account, dead, fetchPost, notRetried, pay, paymentServer, post, UNDICI } from './payments-world.ts';

let server: CountingServer;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  server = await paymentServer();
  closing.push(() => server.close());
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('a payment is in doubt, and not made again', () => {
  test('if the error of the request is swallowed, and another is thrown', async () => {
    const outcome = await pay(async () => {
      await fetchPost(dead).catch(() => {});
      throw Object.assign(new Error('no receipt'), { code: 'ECONNREFUSED' });
    });
    expect(account(outcome, server)).toEqual(notRetried(0));
  });

  test('if the client makes another error without a cause, as node-fetch does', async () => {
    const outcome = await pay(async () => {
      await post(dead).catch((error: unknown) => {
        throw Object.assign(new Error('request failed'), { code: (error as { code: string }).code });
      });
    });
    expect(account(outcome, server)).toEqual(notRetried(0));
  });

  test('if a connection was made, although nothing was written on it', async () => {
    const secure = server.url.replace('http:', 'https:');
    const byHttp = await pay(
      () =>
        new Promise((_, reject) => {
          https.request(secure, { method: 'POST', agent: false }).on('error', reject).end('amount=7');
        }),
    );
    expect(account(byHttp, server)).toEqual(notRetried(0));
    expect(account(await pay(() => fetchPost(secure)), server)).toEqual(notRetried(0));
  });

  test('if a child process was started, which may have made it', async () => {
    const outcome = await pay(() => {
      const ended = once(spawn(process.execPath, ['-e', '']), 'exit');
      closing.push(() => ended);
      return fetchPost(dead);
    });
    expect(account(outcome, server)).toEqual(notRetried(0));
  });

  test.each(UNDICI)('if a proxy refuses to connect: %s', async (_, undici) => {
    const proxy = http.createServer().on('connect', (__, socket) => {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const agent = new undici.ProxyAgent(`http://127.0.0.1:${(proxy.address() as net.AddressInfo).port}`);
    closing.push(
      () => agent.close(),
      () => proxy.close(),
    );
    const url = server.url.replace('http:', 'https:');
    const outcome = await pay(() => undici.request(url, { method: 'POST', dispatcher: agent }));
    expect(account(outcome, server)).toEqual(notRetried(0));
  });

  test('if the client has retried by itself', async () => {
    const agent = new undici8.RetryAgent(new undici8.Agent(), {
      maxRetries: 1,
      minTimeout: 1,
      methods: ['POST'],
      errorCodes: ['ECONNREFUSED'],
    });
    closing.push(() => agent.close());
    const outcome = await pay(() =>
      undici8.request(dead, { method: 'POST', body: 'amount=7', dispatcher: agent }),
    );
    expect(account(outcome, server)).toEqual(notRetried(0));
  });

  test.each([
    ['before its request', true],
    ['after its request has failed', false],
  ])('if the function has waited for something else %s', async (_, isBefore) => {
    const turnOver = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    const outcome = await pay(async () => {
      if (isBefore) await turnOver();
      await fetchPost(dead).catch(async (error: unknown) => {
        await turnOver();
        throw error;
      });
    });
    expect(account(outcome, server)).toEqual(notRetried(0));
  });
});
