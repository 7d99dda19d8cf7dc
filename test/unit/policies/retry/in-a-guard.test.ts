import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../../../src/core/http/retry-after.ts';
import type { Guard, GuardOptions } from '../../../../src/guard/index.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import { FailedResultError } from '../../../../src/index.ts';
import { notSent } from '../../../../src/policies/retry/index.ts';
import { retryAfterOf } from '../../../../src/policies/retry/retry-after.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, guard: createKeelson({ clock, random: () => 0.5 }).guard('payments', options) };
}

const withCode = (code: string, cause?: unknown): Error =>
  Object.assign(new Error(code, { cause }), { code });

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);

  test.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
    ['99999999999999', undefined],
  ])('%j means %j ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  test.each([
    ['the error itself', { retryAfterMs: 5 }],
    ['a Headers object of the response', { response: { headers: new Headers({ 'Retry-After': '5' }) } }],
    ['a plain object in any case', { headers: { 'rEtRy-AfTeR': 5 } }],
    ['the value of a failed result', new FailedResultError({ headers: new Headers({ 'retry-after': '5' }) })],
  ])('is found on %s', (_where, error) => {
    expect(retryAfterOf(error, now)).toBeGreaterThan(0);
  });

  test.each([
    undefined,
    null,
    7,
    'text',
    new Error('no'),
    { headers: 7 },
    { response: null },
    { retryAfterMs: Number.NaN },
  ])('is not found on %j', (error) => {
    expect(retryAfterOf(error, now)).toBeUndefined();
  });

  test.each([
    ['2', 2_000],
    ['0', 1_000],
    ['10', 10_000],
  ])('of %s s makes the first wait %d ms: at least our own delay', async (header, waitMs) => {
    const { guard, clock } = setUp({ retry: { retries: 1, delay: '1s', jitter: 0, maxDelay: '10s' } });
    const fn = failing(
      1,
      Object.assign(new Error('busy'), { response: { headers: { 'retry-after': header } } }),
    );
    const run = guard.run('charge', fn);
    await clock.advance(waitMs - 1);
    expect(fn.executions).toBe(1);
    await clock.advance(1);
    await expect(run).resolves.toBe('ok');
  });

  test('is not honoured where that is switched off', async () => {
    const { guard, clock } = setUp({ retry: { retries: 1, delay: '1s', jitter: 0, retryAfter: false } });
    const run = guard.outcome(
      'charge',
      failing(1, Object.assign(new Error('busy'), { retryAfterMs: 9_000 })),
    );
    await clock.advance(1_000);
    expect(await run).toMatchObject({ outcome: 'success', durationMs: 1_000 });
  });
});

describe('a call that may not be done twice', () => {
  test.each([
    ['says that the connection was refused', withCode('ECONNREFUSED')],
    ['has such a cause', new TypeError('fetch failed', { cause: withCode('ENOTFOUND') })],
    ['says that the connection was reset', withCode('ECONNRESET')],
  ])('is not retried for an error that %s: codes prove nothing', async (_, error) => {
    const { guard } = setUp({ retry: { delay: 0 } });
    const fn = failing(1, error);
    expect(await guard.outcome('charge', fn, { idempotent: false })).toMatchObject({
      outcome: 'failure',
      attempts: 1,
      suppressed: { policy: 'retry', reason: 'not_idempotent' },
    });
    expect(fn.executions).toBe(1);
    expect(guard.snapshot().suppressed['not_idempotent']).toBe(1);
  });

  test('is retried for an error that is marked', async () => {
    const { guard, clock } = setUp({ retry: { delay: 0 } });
    const fn = failing(1, notSent(new Error('no answer to the handshake')));
    const outcome = guard.outcome('charge', fn, { idempotent: false });
    await clock.advance(0);
    expect(await outcome).toMatchObject({ outcome: 'success', attempts: 2 });
  });
});

describe('a retry budget', () => {
  test('is shared by all calls of the guard, and says what it suppressed', async () => {
    const { guard, clock } = setUp({ retry: { retries: 3, delay: 0, budget: { ratio: 0, floor: 2 } } });
    const outcomes = [guard.outcome('charge', failing(9)), guard.outcome('charge', failing(9))];
    await clock.advance(1);
    expect((await Promise.all(outcomes)).map(({ suppressed }) => suppressed?.reason)).toEqual([
      'budget',
      'budget',
    ]);
    expect(guard.snapshot()).toMatchObject({
      retries: 2,
      attempts: { failure: 4 },
      suppressed: { budget: 2 },
    });
    await clock.advance(10_000);
    const later = guard.outcome('charge', failing(1));
    await clock.advance(1);
    expect(await later).toMatchObject({ outcome: 'success', attempts: 2 });
  });
});

describe('a value that counts as a failure', () => {
  const failedResult = (response: { status: number }): boolean => response.status >= 500;

  test('is retried, and given in the end as it is', async () => {
    const { guard, clock } = setUp({
      failedResult,
      retry: { retries: 1, delay: 0 },
      breaker: { failures: 2 },
    });
    const response = { status: 503 };
    const outcome = guard.outcome('charge', async () => response);
    await clock.advance(0);
    expect(await outcome).toMatchObject({ outcome: 'failure', value: response, attempts: 2 });
    expect(guard.breaker?.state).toBe('open');
    expect(guard.snapshot()).toMatchObject({ calls: { failure: 1, success: 0 }, attempts: { failure: 2 } });
    guard.breaker?.reset();
    const run = guard.run('charge', async () => response);
    await clock.advance(0);
    await expect(run).resolves.toBe(response);
  });

  test('shows itself to the filters', async () => {
    const seen: unknown[] = [];
    const { guard } = setUp({
      failedResult,
      retry: { retryIf: (error) => seen.push(error) > 99 },
    });
    await guard.run('charge', async () => ({ status: 500 }));
    expect(seen).toEqual([
      expect.objectContaining({ code: 'ERR_KEELSON_FAILED_RESULT', value: { status: 500 } }),
    ]);
  });

  test('is one that `failedResult` throws at: counted, given, not retried, and told once', async () => {
    const warnings: string[] = [];
    const keelson = createKeelson({ clock: new FakeClock(), warn: (message) => warnings.push(message) });
    const guard = keelson.guard('payments', { failedResult, retry: {}, breaker: { failures: 2 } });
    for (let i = 0; i < 2; i += 1) {
      const account = await guard.outcome('charge', async () => null as never);
      expect(account).toMatchObject({
        outcome: 'failure',
        value: null,
        attempts: 1,
        suppressed: { policy: 'retry', reason: 'not_retryable' },
      });
    }
    expect(guard.breaker?.state).toBe('open');
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "payments": `failedResult` threw in `charge`: TypeError: Cannot read .* null.*\. Values that it cannot judge count as failures, and are not retried\.$/,
      ),
    ]);
    guard.breaker?.reset();
    await expect(guard.run('charge', async () => null as never)).resolves.toBeNull();
  });
});
