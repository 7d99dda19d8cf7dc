import { describe, expect, test } from 'vitest';
import type { Guard } from '../../../src/index.ts';
import { createKeelson, presets } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const AN_HOUR = { 'retry-after': '3600' };

const { retry: _retry, breaker: _breaker, cache: _cache, ...drive } = presets['google-drive'];

interface World {
  readonly guard: Guard;
  readonly clock: FakeClock;
  /** Lets one call fail in this way. */
  readonly failWith: (properties: object) => Promise<void>;
  /** How another operation ends now. */
  readonly another: () => Promise<string>;
}

function world(options: object = {}): World {
  const clock = new FakeClock();
  const guard = createKeelson({ clock, warn() {} }).guard('drive', {
    ...drive,
    ...options,
  });
  return {
    guard,
    clock,
    failWith: async (properties) => {
      await guard.outcome('export', () => {
        throw Object.assign(new Error('refused'), properties);
      });
    },
    another: async () => (await guard.outcome('list', () => 'ok')).outcome,
  };
}

describe('one answer with Retry-After', () => {
  test.each([400, 401, 403, 404, 408, 413, 500, 502, 504])(
    'of status %d is about that request, and pauses nobody else',
    async (status) => {
      const { guard, failWith, another } = world();
      await failWith({ status, headers: AN_HOUR });
      await failWith({ response: { status, headers: AN_HOUR } });
      expect(guard.snapshot().rateLimit?.pausedMs).toBe(0);
      expect(await another()).toBe('success');
    },
  );

  test.each([
    ['status 429', { status: 429, headers: AN_HOUR }],
    ['status 503', { status: 503, headers: AN_HOUR }],
    ['a date in 2099', { statusCode: 503, headers: { 'retry-after': 'Thu, 01 Jan 2099 00:00:00 GMT' } }],
    ['429 of its response', { response: { statusCode: 429, headers: AN_HOUR } }],
    ['no status, and milliseconds', { retryAfterMs: 3_600_000 }],
  ])('of %s pauses the limit for at most a minute', async (_name, properties) => {
    const { guard, clock, failWith, another } = world();
    await failWith(properties);
    expect(guard.snapshot().rateLimit).toMatchObject({ pausedMs: 60_000, available: 0 });
    expect(await another()).toBe('rejected');
    await clock.advance(59_999);
    expect(guard.snapshot().rateLimit?.pausedMs).toBe(1);
    await clock.advance(1);
    expect(guard.snapshot().rateLimit?.pausedMs).toBe(0);
    expect(await another()).toBe('success');
  });

  test('that is given and not thrown is judged by its status too', async () => {
    const { guard } = world();
    await guard.outcome('export', () => ({ status: 500, headers: AN_HOUR }));
    expect(guard.snapshot().rateLimit?.pausedMs).toBe(0);
    await guard.outcome('export', () => ({ status: 503, headers: AN_HOUR }));
    expect(guard.snapshot().rateLimit?.pausedMs).toBe(60_000);
  });

  test.each(['window', 'bucket'] as const)(
    'is over at `limiter.reset()`, which gives no token back: %s',
    async (algorithm) => {
      const { guard, failWith, another } = world({ rateLimit: { algorithm, limit: 3, per: '1h' } });
      await another();
      await failWith({ status: 429, headers: AN_HOUR });
      expect(await another()).toBe('rejected');
      await guard.limiter?.reset();
      expect(guard.snapshot().rateLimit).toMatchObject({ pausedMs: 0, available: 1 });
      expect([await another(), await another()]).toEqual(['success', 'rejected']);
    },
  );

  test('lets those who wait go on at `limiter.reset()`', async () => {
    const { guard, failWith, another } = world({ rateLimit: { limit: 30, per: '1m', maxWait: '5m' } });
    await failWith({ status: 429, headers: AN_HOUR });
    const waiting = another();
    await guard.limiter?.reset();
    expect(await waiting).toBe('success');
  });

  test('goes on where only the breaker is reset', async () => {
    const { guard, failWith, another } = world({ breaker: { failures: 1 } });
    await failWith({ status: 503, headers: AN_HOUR });
    guard.breaker?.reset();
    expect(await another()).toBe('rejected');
  });
});
