import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, get } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, fetch as undiciFetch } from 'undici7';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import { retry } from '../../../src/policies/retry/index.ts';
import { timeout } from '../../../src/policies/timeout/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';

const FAILS: GuardOptions = {
  failedResult: (response: { status?: number; statusCode?: number }) =>
    (response.status ?? response.statusCode ?? 200) >= 500,
};
const RETRIES: GuardOptions = { ...FAILS, retry: { retries: 3, delay: 1, jitter: 0 } };

interface Flaky {
  readonly url: string;
  /** Sockets that clients have opened. */
  readonly opened: () => number;
  readonly requests: () => number;
  /** Sockets on which a response is neither read to its end nor cancelled. */
  readonly unfinished: () => number;
}

/** A server of which each fourth answer is 200 and the others are 503, with a body of this many bytes. */
async function flaky(
  bytes: number,
  answers = (count: number): number => (count % 4 === 0 ? 200 : 503),
): Promise<Flaky> {
  const open = new Set<ServerResponse>();
  let opened = 0;
  let requests = 0;
  const server: Server = createServer((_request, response) => {
    requests += 1;
    open.add(response);
    response.on('close', () => open.delete(response));
    response.writeHead(answers(requests)).end('x'.repeat(bytes));
  });
  server.on('connection', (_socket: Socket) => {
    opened += 1;
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    opened: () => opened,
    requests: () => requests,
    unfinished: () => open.size,
  };
}

function pool(connections: number): Agent {
  const agent = new Agent({ connections });
  onTestFinished(() => agent.destroy());
  return agent;
}

/** A body that notes whether it was read to its end or cancelled. */
function body(chunks: number, bytes: number): { stream: ReadableStream<Uint8Array>; fate: () => string } {
  let left = chunks;
  let fate = 'untouched';
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (left === 0) {
          fate = 'read';
          controller.close();
        } else controller.enqueue(new Uint8Array(bytes));
        left -= 1;
      },
      cancel() {
        fate = 'cancelled';
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, fate: () => fate };
}

describe('a failed answer whose body nobody has read', () => {
  test('is read before the retry, so that the requests share connections', async () => {
    const server = await flaky(100_000);
    const dispatcher = pool(10);
    const api = createKeelson().guard('api', RETRIES);
    for (let call = 0; call < 10; call += 1) {
      const response = await api.run('get', ({ signal }) => undiciFetch(server.url, { signal, dispatcher }));
      expect((await response.text()).length).toBe(100_000);
    }
    expect(server.requests()).toBe(40);
    // undici may open a second one while it notices that the first is free.
    expect(server.opened()).toBeLessThanOrEqual(3);
  });

  test('is cancelled if it is large, so that a small pool does not run dry', async () => {
    const server = await flaky(5_000_000);
    const dispatcher = pool(2);
    const api = createKeelson().guard('api', { ...RETRIES, timeout: { attempt: '5s' } });
    for (let call = 0; call < 3; call += 1) {
      const response = await api.run('get', ({ signal }) => undiciFetch(server.url, { signal, dispatcher }));
      expect(response.status).toBe(200);
      await response.body?.cancel();
    }
    expect(server.requests()).toBe(12);
  });

  test('is read if it is an answer of `node:http`', async () => {
    const server = await flaky(100_000);
    const api = createKeelson().guard('api', RETRIES);
    const answer = await api.run(
      'get',
      () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          get(server.url, { agent: false }, resolve).on('error', reject);
        }),
    );
    expect(answer.statusCode).toBe(200);
    answer.destroy();
    expect(server.requests()).toBe(4);
    await expect.poll(server.unfinished).toBe(0);
  });

  test('is left to the caller if no retry follows it, also if a policy refuses the retry', async () => {
    const server = await flaky(1_000, () => 503);
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', { ...RETRIES, breaker: { failures: 2 } });
    const run = api.outcome('get', ({ signal }) => fetch(server.url, { signal }));
    let outcome: Awaited<typeof run> | undefined;
    void run.then((ended) => (outcome = ended));
    await expect
      .poll(async () => {
        await clock.advance(1);
        return outcome;
      })
      .toMatchObject({ outcome: 'failure', attempts: 2, suppressed: { policy: 'breaker' } });
    const response = outcome && 'value' in outcome ? outcome.value : undefined;
    expect((await response?.text())?.length).toBe(1_000);
  });

  test('holds the retry for one second at most if it never ends', async () => {
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', RETRIES);
    let isCancelled = false;
    const endless = new ReadableStream({ cancel: () => void (isCancelled = true) });
    const answers = [{ status: 503, body: endless }, { status: 200 }];
    const run = api.run('get', () => answers.shift());
    await clock.advance(1);
    expect(answers).toHaveLength(1);
    await clock.advance(999);
    expect(isCancelled).toBe(false);
    await clock.advance(1);
    expect(await run).toEqual({ status: 200 });
    expect(isCancelled).toBe(true);
  });

  test('ends with the call: an abort does not wait for the body', async () => {
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', { ...RETRIES, bulkhead: { concurrent: 1 } });
    const controller = new AbortController();
    const run = api.run('get', () => ({ status: 503, body: new ReadableStream() }), controller);
    const settled = expect(run).rejects.toThrow('left');
    await clock.advance(1);
    controller.abort(new Error('left'));
    await settled;
    expect(api.snapshot()).toMatchObject({ inFlight: 0, bulkhead: { active: 0 }, calls: { cancelled: 1 } });
    await clock.advance(1_000);
    expect(clock.timers.running).toBe(0);
  });

  test('is not given to the caller once its body is being freed', async () => {
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', { ...RETRIES, timeout: { total: '500ms' } });
    const run = api.run('get', () => ({ status: 503, body: new ReadableStream() }));
    const settled = expect(run).rejects.toMatchObject({
      code: 'ERR_KEELSON_FAILED_RESULT',
      value: { status: 503 },
    });
    await clock.advance(500);
    await settled;
    expect(api.snapshot()).toMatchObject({ inFlight: 0, calls: { failure: 1 } });
  });

  test('is read if a stale value or a fallback stands in for it, and left to a fallback function that takes the error', async () => {
    const clock = new FakeClock();
    const keelson = createKeelson({ clock });
    const fates = [body(3, 10), body(3, 10), body(3, 10)] as const;
    const cached = keelson.guard('cached', { ...FAILS, cache: { ttl: '1s', staleIfError: '1h' } });
    await cached.run('get', () => ({ status: 200, body: null }), { cacheKey: 'a' });
    await clock.advance(2_000);
    const stale = await cached.outcome('get', () => ({ status: 503, body: fates[0].stream }), {
      cacheKey: 'a',
    });
    expect(stale).toMatchObject({ outcome: 'success', origin: 'stale' });
    const plain = keelson.guard('plain', { ...FAILS, fallback: { value: [] } });
    await plain.run('get', () => ({ status: 503, body: fates[1].stream }));
    const looking = keelson.guard('looking', { ...FAILS, fallback: { with: (error) => error } });
    await looking.run('get', () => ({ status: 503, body: fates[2].stream }));
    await settlePromises();
    expect(fates.map(({ fate }) => fate())).toEqual(['read', 'read', 'untouched']);
  });

  test('is freed too if it hangs at an error that is retried', async () => {
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', { retry: { retries: 1, delay: 1, jitter: 0 } });
    const kept = [body(2, 10), body(2, 10)] as const;
    const fail = (index: 0 | 1): never => {
      throw Object.assign(new Error('503'), { response: { body: kept[index].stream } });
    };
    const run = api.run('get', ({ attempt }) => (attempt === 0 ? fail(0) : 'ok'));
    await clock.advance(1);
    expect(await run).toBe('ok');
    let tries = 0;
    const alone = retry({ retries: 1, delay: 1, jitter: 0 }, { clock }).execute(() =>
      tries++ === 0 ? fail(1) : 'ok',
    );
    await clock.advance(1);
    expect(await alone).toBe('ok');
    expect(kept.map(({ fate }) => fate())).toEqual(['read', 'read']);
  });
});

describe('a result that comes after the call has given up', () => {
  test.each(['a guard', 'a timeout of its own'])('is freed by %s', async (what) => {
    const clock = new FakeClock();
    const late = deferred<{ status: number; body: ReadableStream }>();
    const fn = (): Promise<unknown> => late.promise;
    const run =
      what === 'a guard'
        ? createKeelson({ clock })
            .guard('api', { timeout: { attempt: '1s' } })
            .run('get', fn)
        : timeout('1s', { clock }).execute(fn);
    const settled = expect(run).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    await clock.advance(1_000);
    await settled;
    const { stream, fate } = body(20, 10_000);
    late.resolve({ status: 200, body: stream });
    await settlePromises();
    expect(fate()).toBe('cancelled');
  });

  test('is freed if all callers of a load have gone, and if its key was deleted meanwhile', async () => {
    const clock = new FakeClock();
    const api = createKeelson({ clock }).guard('api', {
      cache: { ttl: '1s', staleWhileRevalidate: '1h' },
    });
    const disposed: unknown[] = [];
    const options = { cacheKey: 'a', dispose: (value: unknown) => void disposed.push(value) };
    const abandoned = deferred<string>();
    const controller = new AbortController();
    const run = api.run('get', () => abandoned.promise, { ...options, signal: controller.signal });
    const settled = expect(run).rejects.toThrow('left');
    controller.abort(new Error('left'));
    await settled;
    abandoned.resolve('too late');
    await settlePromises();
    await api.run('get', () => 'first', options);
    await clock.advance(1_500);
    const refresh = deferred<string>();
    expect(await api.run('get', () => refresh.promise, options)).toBe('first');
    await api.cache?.delete('get', 'a');
    refresh.resolve('not kept');
    await settlePromises();
    expect(disposed).toEqual(['too late', 'not kept']);
  });
});

describe('`dispose`', () => {
  test('takes each value that is thrown away, that of the call before that of the guard', async () => {
    const clock = new FakeClock();
    const ofGuard: unknown[] = [];
    const ofCall: unknown[] = [];
    const api = createKeelson({ clock }).guard('api', {
      ...RETRIES,
      dispose: (value: { id: number }) => void ofGuard.push(value.id),
    });
    const call = ({ attempt }: { attempt: number }) => ({ id: attempt, status: attempt < 2 ? 500 : 200 });
    const first = api.run('get', call);
    await clock.advance(10);
    expect(await first).toEqual({ id: 2, status: 200 });
    const second = api.run('get', call, { dispose: (value: { id: number }) => void ofCall.push(value.id) });
    await clock.advance(10);
    await second;
    expect([ofGuard, ofCall]).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('that throws, rejects or never ends keeps no call up, and is warned of once', async () => {
    const clock = new FakeClock();
    const warnings: string[] = [];
    const ways = [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
      () => new Promise(() => {}),
    ];
    const api = createKeelson({ clock, warn: (message) => warnings.push(message) }).guard('api', {
      ...RETRIES,
      dispose: () => ways.shift()?.(),
    });
    const run = api.run('get', ({ attempt }) => ({ attempt, status: attempt < 3 ? 500 : 200 }));
    await clock.advance(1_007);
    expect(await run).toEqual({ attempt: 3, status: 200 });
    expect(warnings).toEqual([
      'guard "api": `dispose` threw: Error: broken. What the value holds may stay open: make `dispose` safe for every value.',
    ]);
  });

  test('is checked: as an option of the guard and of the call', async () => {
    const keelson = createKeelson();
    expect(() => keelson.guard('api', { dispose: true as never })).toThrow(/`dispose` to be a function/);
    await expect(keelson.guard('other', {}).run('get', () => 1, { dispose: 1 as never })).rejects.toThrow(
      /`dispose` to be a function/,
    );
  });
});

test('a stream that somebody has begun to read is left alone', async () => {
  const clock = new FakeClock();
  const api = createKeelson({ clock }).guard('api', RETRIES);
  const read = body(30, 10_000);
  const reader = read.stream.getReader();
  const piped = Readable.from(['a', 'b']);
  const lines: string[] = [];
  piped.on('data', (line: string) => lines.push(line));
  const answers = [{ status: 503, body: read.stream }, { status: 503, body: piped }, { status: 200 }];
  const run = api.run('get', () => answers.shift());
  await clock.advance(5);
  await run;
  await reader.read();
  expect(read.fate()).toBe('untouched');
  expect(lines).toEqual(['a', 'b']);
});
