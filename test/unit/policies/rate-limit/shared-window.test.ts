import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../../src/index.ts';
import type {
  LimiterStore,
  RateLimitOptions,
  RateWindow,
  Taken,
} from '../../../../src/policies/rate-limit/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { ending, no, seat, waiterOf } from './shared-limit-seat.ts';
import type { Seat } from './shared-limit-seat.ts';

interface WindowStore extends LimiterStore {
  readonly asked: RateWindow[];
  readonly givenBack: number[];
  answer: () => Promise<Taken>;
}

function windowStore(answer: () => Promise<Taken>): WindowStore {
  const store: WindowStore = {
    asked: [],
    givenBack: [],
    answer,
    take: () => Promise.reject(new Error('A window is not counted in a bucket.')),
    takeFromWindow: (_key, { limit, perMs }) => {
      store.asked.push({ limit, perMs });
      return store.answer();
    },
    giveBack: async (_key, _window, at) => {
      store.givenBack.push(at);
    },
    close: async () => {},
  };
  return store;
}

function windowSeat(store: LimiterStore, options: Partial<RateLimitOptions> = {}): Seat {
  const seats = seat({ algorithm: 'window', ...options });
  Object.assign(seats.store, store);
  return seats;
}

const granted = (at: number): Taken => ({ granted: true, retryAfterMs: 0, remaining: 0, at });

describe('a shared window', () => {
  test('asks for the limit and the period', async () => {
    const store = windowStore(async () => granted(7));
    expect(await ending(windowSeat(store))).toBe('granted@0');
    expect(store.asked).toEqual([{ limit: 10, perMs: 1_000 }]);
  });

  test('gives a token back to the store that the bulkhead stopped, with the time of its grant', async () => {
    const clock = new FakeClock();
    let now = 100;
    const store = windowStore(async () => granted((now += 1)));
    const guard = createKeelson({ clock }).guard('drive', {
      rateLimit: { limit: 5, per: '1h', store },
      bulkhead: { concurrent: 1 },
    });
    const gate = deferred<string>();
    const running = guard.outcome('list', () => gate.promise);
    expect(await guard.outcome('list', () => 'ok')).toMatchObject({ error: { reason: 'full' } });
    expect(store.givenBack).toEqual([102]);
    gate.resolve('done');
    expect(await running).toMatchObject({ outcome: 'success' });
  });

  test('gives back what was granted when nobody waited any more', async () => {
    const gate = deferred<Taken>();
    const store = windowStore(() => gate.promise);
    const seats = windowSeat(store);
    const waiter = waiterOf(seats);
    const left = expect(waiter.granted).rejects.toBe('left');
    waiter.interrupt('left');
    gate.resolve(granted(9));
    await left;
    await settlePromises();
    expect(store.givenBack).toEqual([9]);
  });

  test('harms no call where the store fails to take a token back', async () => {
    const store = windowStore(async () => granted(1));
    store.giveBack = () => Promise.reject(new Error('ECONNRESET'));
    const seats = windowSeat(store);
    const waiter = waiterOf(seats);
    await waiter.granted;
    seats.limiter.giveBack(0, waiter);
    await settlePromises();
    expect(seats.limiter.counters).toEqual({ failures: 1, unlimited: 0 });
  });

  test('lets all wait who may have their turn at once when the window is free again', async () => {
    const store = windowStore(async () => no(1_000));
    const seats = windowSeat(store, { maxWait: '1s' });
    const ends = [ending(seats), ending(seats), ending(seats)];
    await settlePromises();
    expect(seats.limiter.queued).toBe(3);
    store.answer = async () => granted(1);
    await seats.clock.advance(1_000);
    expect(await Promise.all(ends)).toEqual(Array(3).fill('granted@1000'));
  });

  test('sends away who would have to wait for the period after that', async () => {
    const store = windowStore(async () => no(1_000));
    const seats = windowSeat(store, { limit: 2, maxWait: '1500ms' });
    const ends = [ending(seats), ending(seats)];
    await settlePromises();
    expect(await ending(seats)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 2_000 });
    store.answer = async () => granted(1);
    await seats.clock.advance(1_000);
    expect(await Promise.all(ends)).toEqual(['granted@1000', 'granted@1000']);
  });

  test('goes on asking at `reset()`, and not before, where a server asked for a pause', async () => {
    const store = windowStore(async () => granted(1));
    const seats = windowSeat(store, { maxWait: '2m' });
    seats.limiter.slowDown(3_600_000);
    expect(seats.limiter.pausedMs).toBe(60_000);
    const end = ending(seats);
    await seats.clock.advance(10_000);
    expect(store.asked).toHaveLength(0);
    seats.limiter.reset();
    await seats.clock.advance(0);
    expect([await end, seats.limiter.pausedMs]).toEqual(['granted@10000', 0]);
  });

  test.each([
    [10, 3, 3, 1_000],
    [3, 4, 1, 1_334],
  ])(
    'of %d leaves one of %d processes %d in %d ms while the store is away',
    async (limit, processes, share, perMs) => {
      const store = windowStore(() => Promise.reject(new Error('ECONNREFUSED')));
      const seats = windowSeat(store, { limit, processes, onStoreFailure: 'localShare' });
      const ends = await Promise.all(Array.from({ length: share + 1 }, () => ending(seats)));
      expect(ends.filter((end) => end === 'granted@0')).toHaveLength(share);
      expect(ends.at(-1)).toMatchObject({ retryAfterMs: perMs });
    },
  );
});
