import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { PresetName } from '../../../../src/index.ts';
import { isHttpFailure, presets } from '../../../../src/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

const FAILURES = new Set([408, 425, 429, 500, 502, 503, 504, 599]);
const ANSWERS = new Set([400, 401, 403, 404, 409, 410, 422, 451, 499, 501]);

describe('an error with an HTTP status', () => {
  test.each(
    [...FAILURES, ...ANSWERS].flatMap((status) => [
      ['status', status, { status }] as const,
      ['statusCode', status, { statusCode: status }] as const,
      ['response.status', status, { response: { status } }] as const,
      ['response.statusCode', status, { response: { statusCode: status } }] as const,
    ]),
  )('in `%s` %i is a failure or the answer to a wrong request', (_, status, facts) => {
    expect(isHttpFailure(Object.assign(new Error('answered'), facts))).toBe(FAILURES.has(status));
  });

  test('is judged by the status, of whatever type it is', () => {
    expect(isHttpFailure(Object.assign(new TypeError('no'), { status: 503 }))).toBe(true);
    expect(isHttpFailure(Object.assign(new Error('fetch failed'), { status: 404 }))).toBe(false);
  });

  test('is none where the number is no status, as that of a child process', () => {
    expect(isHttpFailure(Object.assign(new Error('exit'), { status: 1 }))).toBe(true);
    expect(isHttpFailure(Object.assign(new RangeError('exit'), { statusCode: Number.NaN }))).toBe(false);
  });
});

describe('a mistake of the program', () => {
  test.each([new TypeError('x is not a function'), new ReferenceError('x'), new RangeError('x')])(
    'is not the fault of the server: %s',
    (error) => {
      expect(isHttpFailure(error)).toBe(false);
    },
  );

  test('is an answer that is not JSON, too', () => {
    let thrown: unknown;
    try {
      JSON.parse('<html>');
    } catch (error) {
      thrown = error;
    }
    expect(isHttpFailure(thrown)).toBe(false);
  });

  test('is not a body that ends in the middle', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setImmediate(() => response.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const broken: unknown = await response.text().catch((error: unknown) => error);
    server.close();
    expect(broken).toBeInstanceOf(TypeError);
    expect(isHttpFailure(broken)).toBe(true);
  });

  test('is an address that `fetch` cannot read, and not a server that refuses the connection', async () => {
    const rejection = async (address: string): Promise<unknown> => {
      try {
        return await fetch(address);
      } catch (error) {
        return error;
      }
    };
    expect(isHttpFailure(await rejection('not an address'))).toBe(false);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    expect(isHttpFailure(await rejection(`http://127.0.0.1:${port}/`))).toBe(true);
  });
});

test('anything else that is thrown is a failure, and the classifier itself never throws', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => {
      const status = (holder: unknown): unknown =>
        typeof holder === 'object' && holder !== null
          ? (Reflect.get(holder, 'status') ??
            Reflect.get(holder, 'statusCode') ??
            Reflect.get(holder, 'response'))
          : undefined;
      fc.pre(status(thrown) === undefined);
      return isHttpFailure(thrown);
    }),
  );
  const hostile = new Proxy(new Error('hidden'), {
    get() {
      throw new Error('not for you');
    },
  });
  expect(isHttpFailure(hostile)).toBe(true);
});

const HTTP: readonly PresetName[] = [
  'standard-http',
  'google-drive',
  'google-photos',
  'github',
  'pexels',
  'http',
];

describe.each(HTTP)('the preset %s', (name) => {
  const thirtyCalls = async (thrown: unknown): Promise<{ attempts: number[]; transitions: string[] }> => {
    const clock = new FakeClock();
    const { rateLimit: _, ...options } = presets[name];
    const guard = createKeelson({ clock, random: () => 0.5 }).guard(name, options);
    const transitions: string[] = [];
    guard.on((event) => {
      if (event.type === 'breaker.transition') transitions.push(`${event.from}/${event.to}`);
    });
    const calls = Array.from({ length: 30 }, () => guard.outcome('get', failing(9, thrown)));
    await clock.advance(60_000);
    const accounts = await Promise.all(calls);
    return { attempts: accounts.map(({ attempts }) => attempts), transitions };
  };

  test('makes one attempt at what is not found or is a mistake, and keeps the circuit closed', async () => {
    for (const error of [Object.assign(new Error('gone'), { status: 404 }), new TypeError('x is undefined')])
      expect(await thirtyCalls(error)).toEqual({ attempts: Array(30).fill(1), transitions: [] });
  });

  test('opens the circuit at answers of 503 and broken connections', async () => {
    const broken = new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
    for (const error of [Object.assign(new Error('busy'), { status: 503 }), broken])
      expect((await thirtyCalls(error)).transitions[0]).toBe('closed/open');
  });

  test('makes more attempts at an answer of 429', async () => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock, random: () => 0.5 }).guard(name, presets[name]);
    const run = guard.outcome('get', failing(1, Object.assign(new Error('too many'), { status: 429 })));
    await clock.advance(10_000);
    expect(await run).toMatchObject({ outcome: 'success', attempts: 2 });
  });
});

test('the filters of a preset give way to those of the user', async () => {
  const guard = createKeelson({ clock: new FakeClock() }).guard('api', {
    ...presets.github,
    retry: { retries: 0 },
    breaker: { failures: 1, failureIf: () => true },
  });
  await guard.outcome('get', failing(1, Object.assign(new Error('gone'), { status: 404 })));
  expect(guard.breaker?.state).toBe('open');
});
