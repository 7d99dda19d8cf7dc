import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LimiterStore, RateLimitOptions, Taken } from '../../../src/index.ts';
import { createKeelson, sqliteStore } from '../../../src/index.ts';
import { RateWaiter } from '../../../src/policies/rate-limit/rate-waiter.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import type { Seat } from '../../unit/policies/rate-limit/shared-limit-seat.ts';
import { ending, no, seat, YES } from '../../unit/policies/rate-limit/shared-limit-seat.ts';

interface End {
  readonly outcome: string;
  readonly ms: number;
}

/** A guard with a limit that is shared in SQLite, on a clock that the test moves. */
function sqliteWorld(
  options: RateLimitOptions,
  random: () => number,
): { clock: FakeClock; call: () => Promise<End> } {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-max-wait-'));
  const clock = new FakeClock();
  const store: LimiterStore = sqliteStore({ file: join(folder, 'limiter.db'), clock });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const guard = createKeelson({ clock, random, warn() {} }).guard('drive', {
    rateLimit: { ...options, store },
  });
  const call = async (): Promise<End> => {
    const from = clock.now();
    const { outcome } = await guard.outcome('get', () => 'ok');
    return { outcome, ms: clock.now() - from };
  };
  return { clock, call };
}

/** How one call of this seat ends, and after how long. */
async function timed(seats: Seat): Promise<string> {
  const from = seats.clock.now();
  const end = await ending(seats);
  const how = typeof end === 'string' ? end.replace(/@.*/, '') : String(Reflect.get(Object(end), 'code'));
  return `${how} after ${seats.clock.now() - from}`;
}

const REFUSED = 'ERR_KEELSON_RATE_LIMITED after';

describe('no call of a shared limit waits longer than `maxWait`', () => {
  test.each([0, 0.5, 0.999])(
    'whatever the processes are spread by: 360 in an hour, %d of the spread',
    async (random) => {
      const rate = { algorithm: 'bucket', limit: 360, per: '1h', burst: 1, maxWait: '300ms' } as const;
      const { clock, call } = sqliteWorld(rate, () => random);
      const ends: End[] = [await call()];
      await clock.advance(9_800);
      for (let round = 0; round < 8; round += 1) {
        const running = call();
        await clock.advance(2_000);
        const end = await running;
        ends.push(end);
        // To 200 ms before the next token.
        await clock.advance(9_800 - (2_000 - end.ms));
      }
      expect(ends.map(({ outcome }) => outcome)).toEqual(Array(9).fill('success'));
      expect(Math.max(...ends.map(({ ms }) => ms))).toBeLessThanOrEqual(300);
    },
  );

  test.each([0, 0.2, 100])(
    'of a store that says %d ms and never grants: it is refused when its time is over',
    async (retryAfterMs) => {
      const seats = seat({ limit: 1, per: '1h', maxWait: '2s' }, () => 0.5);
      seats.store.answer = async () => no(retryAfterMs);
      const end = timed(seats);
      await seats.clock.advance(6_000);
      expect(await end).toBe(`${REFUSED} 2000`);
      expect([seats.limiter.queued, seats.clock.timers.refed]).toEqual([0, 0]);
    },
  );

  test('also of those behind the first in the line, each when its own time is over', async () => {
    const seats = seat({ limit: 1_000, per: '1s', maxWait: '2s' }, () => 1);
    seats.store.answer = async () => no(1);
    const ends: Promise<string>[] = [];
    for (let i = 0; i < 5; i += 1) {
      ends.push(timed(seats));
      await seats.clock.advance(10);
    }
    await seats.clock.advance(6_000);
    expect(await Promise.all(ends)).toEqual(Array(5).fill(`${REFUSED} 2000`));
  });

  test('asks the store once more at the end of the time, and takes what it grants then', async () => {
    const seats = seat({ limit: 1, per: '1h', maxWait: '300ms' }, () => 0.5);
    seats.store.answer = async () => no(250);
    const end = timed(seats);
    await seats.clock.advance(299);
    expect(seats.store.asked).toHaveLength(1);
    seats.store.answer = async () => YES;
    await seats.clock.advance(1);
    expect(await end).toBe('granted after 300');
  });

  test('of a window whose period is `maxWait`, all have their last question', async () => {
    const rate = { limit: 5, per: '1s', maxWait: '1s' } as const;
    const { clock, call } = sqliteWorld(rate, () => 0.999);
    const ends = Array.from({ length: 15 }, call);
    await clock.advance(5_000);
    const all = await Promise.all(ends);
    expect(all.filter(({ outcome }) => outcome === 'success').map(({ ms }) => ms)).toEqual([
      ...Array(5).fill(0),
      ...Array(5).fill(1_000),
    ]);
    expect(all.filter(({ outcome }) => outcome === 'rejected')).toHaveLength(5);
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThanOrEqual(1_000);
  });

  test('but for an answer that is under way, which decides', async () => {
    const seats = seat({ maxWait: '200ms', storeTimeout: '100ms' });
    seats.store.answer = async () => no(100);
    const end = timed(seats);
    await seats.clock.advance(99);
    const answer = deferred<Taken>();
    seats.store.answer = () => new Promise((resolve) => seats.clock.setTimer(() => resolve(YES), 90));
    await seats.clock.advance(1);
    expect(seats.limiter.queued).toBe(1);
    await seats.clock.advance(90);
    expect(await end).toBe('granted after 190');
    seats.store.answer = async () => no(150);
    const late = timed(seats);
    await seats.clock.advance(149);
    seats.store.answer = () => answer.promise;
    await seats.clock.advance(60);
    expect(seats.limiter.queued).toBe(1);
    answer.resolve(YES);
    expect(await late).toBe('granted after 209');
  });

  test('and an answer under way that refuses ends the wait', async () => {
    const seats = seat({ maxWait: '200ms', storeTimeout: '100ms' });
    seats.store.answer = async () => no(150);
    const end = timed(seats);
    await seats.clock.advance(149);
    const answer = deferred<Taken>();
    seats.store.answer = () => answer.promise;
    await seats.clock.advance(81);
    answer.resolve(no(0));
    expect(await end).toBe(`${REFUSED} 230`);
  });

  test('and a retry that took the answer ends the wait of the call that it came before', async () => {
    const seats = seat({ maxWait: '200ms', storeTimeout: '100ms' });
    seats.store.answer = async () => no(150);
    const end = timed(seats);
    await seats.clock.advance(149);
    const answer = deferred<Taken>();
    seats.store.answer = () => answer.promise;
    await seats.clock.advance(60);
    const retry = seats.limiter.enter(seats.clock.now(), true);
    answer.resolve(YES);
    seats.store.answer = async () => no(100);
    expect(await end).toBe(`${REFUSED} 209`);
    expect(await Reflect.get(Object(retry), 'granted')).toBeUndefined();
    expect([seats.limiter.queued, seats.clock.timers.refed]).toEqual([0, 0]);
  });

  test('when the store fails meanwhile, and this process counts alone from then on', async () => {
    const seats = seat({
      limit: 1,
      per: '400ms',
      maxWait: '2s',
      onStoreFailure: 'localShare',
      processes: 4,
    });
    seats.store.answer = async () => no(1_500);
    const ends = [timed(seats), timed(seats)];
    await seats.clock.advance(1_499);
    seats.store.answer = () => Promise.reject(new Error('ECONNREFUSED'));
    await seats.clock.advance(20_000);
    // The share of this process is one in 1.6 s: 3.1 s after the start.
    expect(await Promise.all(ends)).toEqual(['granted after 1500', `${REFUSED} 1500`]);
  });

  test('however the store answers and whenever calls arrive', async () => {
    const waited: number[] = [];
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 120 }),
      isRetry: fc.boolean(),
      isGranted: fc.boolean(),
      retryAfterMs: fc.integer({ min: 0, max: 300 }),
      answersIn: fc.integer({ min: 0, max: 60 }),
      pauseMs: fc.constantFrom(0, 0, 0, 150),
    });
    const options = fc.record({
      algorithm: fc.constantFrom('bucket' as const, 'window' as const),
      limit: fc.integer({ min: 1, max: 5 }),
      onStoreFailure: fc.constantFrom('failClosed' as const, 'localShare' as const),
    });
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { minLength: 5, maxLength: 30 }), async (chosen, steps) => {
        const seats = seat({ ...chosen, per: '1s', maxWait: '200ms', storeTimeout: '50ms' }, () => 0.9);
        const { clock, store, limiter } = seats;
        let asked = 0;
        store.answer = () => {
          asked += 1;
          const { isGranted = false, retryAfterMs = 0, answersIn = 0 } = steps[asked % steps.length] ?? {};
          const answer = isGranted ? YES : no(retryAfterMs);
          return new Promise((resolve) => clock.setTimer(() => resolve(answer), answersIn));
        };
        Object.assign(store, { takeFromWindow: store.take.bind(store) });
        const calls: Promise<void>[] = [];
        for (const { gap, isRetry, pauseMs } of steps) {
          const from = clock.now();
          const entry = limiter.enter(from, isRetry);
          if (entry instanceof RateWaiter && !isRetry)
            calls.push(entry.granted.catch(() => {}).then(() => void waited.push(clock.now() - from)));
          else if (entry instanceof RateWaiter) entry.granted.catch(() => {});
          if (pauseMs > 0) limiter.slowDown(pauseMs);
          await clock.advance(gap);
        }
        store.answer = async () => YES;
        // Retries wait as long as it takes, here for up to 30 tokens of one in a second.
        await clock.advance(60_000);
        await Promise.all(calls);
        expect([limiter.queued, clock.timers.refed]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
    expect(Math.max(...waited)).toBeGreaterThan(150);
    // `maxWait`, and `storeTimeout` for the answer that is under way at its end.
    expect(Math.max(...waited)).toBeLessThanOrEqual(200 + 50);
  });

  test('while a retry after `Retry-After` waits as long as it takes', async () => {
    const seats = seat({ maxWait: '200ms' });
    seats.store.answer = async () => no(100);
    const retry = seats.limiter.enter(0, true);
    await seats.clock.advance(5_000);
    expect(seats.limiter.queued).toBe(1);
    seats.store.answer = async () => YES;
    await seats.clock.advance(100);
    expect(await Reflect.get(Object(retry), 'granted')).toBeUndefined();
  });

  test('and `tryAcquire` took nothing if the store refuses for 0 ms', async () => {
    const seats = seat({ maxWait: '2s' });
    seats.store.answer = async () => no(0);
    expect(await seats.limiter.tryAcquire(seats.clock.now())).toBe(1);
  });
});
