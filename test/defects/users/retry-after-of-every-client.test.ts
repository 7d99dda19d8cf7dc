import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../../src/core/http/retry-after.ts';
import { createKeelson, preset, retryAfterMsOf } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const NOW = Date.UTC(2026, 0, 1);

/** Headers as undici and node-fetch have them: classes of their own, with `get`. */
class ForeignHeaders {
  readonly #fields = new Map([['retry-after', '7']]);

  get(name: string): string | null {
    return this.#fields.get(name.toLowerCase()) ?? null;
  }
}

/** Headers that have no `get`, and give pairs. */
class IterableHeaders {
  *[Symbol.iterator](): Iterator<[string, string]> {
    yield ['Content-Length', '3'];
    yield ['Retry-After', '7'];
  }
}

const HEADERS: readonly (readonly [string, object])[] = [
  ['the global Headers', new Headers({ 'Retry-After': '7' })],
  ['Headers of another library', new ForeignHeaders()],
  ['an iterable of pairs', new IterableHeaders()],
  ['a map', new Map([['retry-after', '7']])],
  ['a map with names in another case', new Map([['Retry-After', '7']])],
  ['a list of pairs', [['Retry-After', '7']]],
  ['a flat list, as rawHeaders', ['Content-Length', '3', 'Retry-After', '7']],
  ['a flat list of bytes', [Buffer.from('retry-after'), Buffer.from('7')]],
  ['a plain object', { 'Retry-After': '7' }],
  ['a plain object with several values', { 'retry-after': ['7', '9'] }],
  ['a number', { 'retry-after': 7 }],
];

describe('Retry-After is understood in', () => {
  test.each(HEADERS)('%s, of an error and of its response', (_name, headers) => {
    expect(retryAfterMsOf(Object.assign(new Error('429'), { headers }))).toBe(7_000);
    expect(retryAfterMsOf(Object.assign(new Error('429'), { response: { headers } }))).toBe(7_000);
  });

  test.each(HEADERS)('%s, of an answer that is given and not thrown', async (_name, headers) => {
    const clock = new FakeClock();
    const { cache: _cache, timeout: _timeout, ...options } = preset('http');
    const guard = createKeelson({ clock }).guard('api', options);
    const answers = [{ status: 429, headers }, { status: 200 }];
    const outcome = guard.outcome('get', () => answers.shift());
    await clock.advance(7_000);
    expect(await outcome).toMatchObject({ outcome: 'success', attempts: 2 });
  });

  test.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Thursday, 01-Jan-26 00:02:00 GMT', 120_000],
    ['Thu Jan  1 00:02:00 2026', 120_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Sun Nov  6 08:49:37 1994', 0],
    ['Thursday, 41-Jan-26 00:02:00 GMT', undefined],
    ['Thu Jan  1 24:02:00 2026', undefined],
    ['2026-01-01T00:02:00Z', undefined],
  ])('the form %j, as %s ms', (value, ms) => {
    expect(parseRetryAfter(value, NOW)).toBe(ms);
  });
});

test('a year of two digits is at most 50 years ahead', () => {
  const year = 365.25 * 86_400_000;
  expect(parseRetryAfter('Wednesday, 01-Jan-76 00:00:00 GMT', NOW)).toBeCloseTo(50 * year, -9);
  expect(parseRetryAfter('Saturday, 01-Jan-77 00:00:00 GMT', NOW)).toBe(0);
  expect(parseRetryAfter('Friday, 01-Jan-10 00:00:00 GMT', Date.UTC(2090, 0, 1))).toBeCloseTo(20 * year, -9);
});

test('headers that throw say nothing', () => {
  const headers = {
    get(): string {
      throw new Error('locked');
    },
  };
  expect(retryAfterMsOf({ headers })).toBeUndefined();
});

describe('a server that asks for more than the call may wait', () => {
  const busy = Object.assign(new Error('busy'), { status: 429, headers: { 'retry-after': '30' } });

  function fail(): never {
    throw busy;
  }

  test('beyond `maxDelay` is not asked early: the call fails with its own error, and says how long to wait', async () => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock }).guard('api', { retry: { retries: 3, maxDelay: '29s' } });
    const events: object[] = [];
    guard.on((event) => events.push(event));
    const outcome = await guard.outcome('get', fail);
    expect(outcome).toMatchObject({
      outcome: 'failure',
      attempts: 1,
      suppressed: { policy: 'retry', reason: 'retry_after', retryAfterMs: 30_000 },
    });
    expect(outcome.error).toBe(busy);
    expect(Object.keys(busy)).toEqual(['status', 'headers']);
    expect(retryAfterMsOf(outcome.error)).toBe(30_000);
    expect(guard.snapshot().suppressed['retry_after']).toBe(1);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'retry.suppressed', reason: 'retry_after', retryAfterMs: 30_000 }),
    );
  });

  test('at exactly `maxDelay` is asked again then', async () => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock }).guard('api', { retry: { retries: 1, maxDelay: '30s' } });
    const outcome = guard.outcome('get', fail);
    await clock.advance(30_000);
    expect(await outcome).toMatchObject({ outcome: 'failure', attempts: 2 });
  });

  test('beyond the deadline is not asked, and `suppressed` says both', async () => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock }).guard('api', { retry: { retries: 3 }, timeout: { total: '20s' } });
    expect(await guard.outcome('get', fail)).toMatchObject({
      attempts: 1,
      suppressed: { policy: 'retry', reason: 'deadline', retryAfterMs: 30_000 },
    });
  });
});
