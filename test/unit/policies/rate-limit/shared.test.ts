import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../../src/core/errors.ts';
import type { Taken } from '../../../../src/policies/rate-limit/index.ts';
import { rateLimit } from '../../../../src/policies/rate-limit/index.ts';
import { FakeClock, settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { failing } from '../../../support/failing.ts';
import { ending, no, ScriptedStore, seat, waiterOf, YES } from './shared-limit-seat.ts';

describe('a shared limit', () => {
  test("asks the store under the guard's name, side by side while it grants", async () => {
    const seats = seat();
    expect(await Promise.all([ending(seats), ending(seats), ending(seats)])).toEqual(
      Array(3).fill('granted@0'),
    );
    expect(seats.store.asked).toEqual(['drive', 'drive', 'drive']);
    expect([seats.limiter.limit, seats.limiter.available]).toEqual([10, 7]);
    expect(seats.clock.timers.refed).toBe(0);
  });

  test('refuses at once where the store refuses and the call may not wait', async () => {
    const seats = seat();
    seats.store.answer = async () => no(123.4);
    expect(await ending(seats)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 124 });
  });

  test('lets only the first in the line ask, and serves in order', async () => {
    const seats = seat({ maxWait: '1s' });
    seats.store.answer = async () => (seats.clock.now() % 100 === 0 && seats.clock.now() > 0 ? YES : no(100));
    const ends = [ending(seats), ending(seats), ending(seats)];
    await settlePromises();
    expect([seats.store.asked.length, seats.limiter.queued, seats.limiter.available]).toEqual([3, 3, 0]);
    let granted = 0;
    seats.store.answer = async () => {
      granted += 1;
      return granted % 2 === 1 ? YES : no(100);
    };
    await seats.clock.advance(1_000);
    expect(await Promise.all(ends)).toEqual(['granted@100', 'granted@200', 'granted@300']);
    expect(seats.store.asked).toHaveLength(3 + 5);
    expect(seats.clock.timers.refed).toBe(0);
  });

  test('sends away those whose turn comes too late because others took the tokens', async () => {
    const seats = seat({ maxWait: '250ms' });
    seats.store.answer = async () => no(100);
    const ends = [ending(seats), ending(seats)];
    await seats.clock.advance(200);
    expect(await Promise.all(ends)).toMatchObject([
      { code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 100 },
      { code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 200 },
    ]);
    expect([seats.limiter.queued, seats.clock.timers.refed]).toEqual([0, 0]);
  });

  test('has a bound on the line', async () => {
    const seats = seat({ maxWait: '10s', queue: 1 });
    seats.store.answer = async () => no(100);
    void ending(seats);
    await settlePromises();
    expect(await ending(seats)).toMatchObject({
      message: 'Guard "drive": the limit of 10 per 1s is used up, and all 1 places in the line are taken.',
    });
  });

  test('hands the token of a call that has gone to the first in the line, and loses it where nobody waits', async () => {
    const seats = seat({ maxWait: '10s' });
    seats.store.answer = async () => no(5_000);
    const queued = ending(seats);
    await settlePromises();
    const gate = deferred<Taken>();
    seats.store.answer = () => gate.promise;
    await seats.clock.advance(5_000);
    const second = waiterOf(seats);
    const left = expect(second.granted).rejects.toBe('left');
    second.interrupt('left');
    await left;
    gate.resolve(YES);
    expect(await queued).toBe('granted@5000');
    const late = deferred<Taken>();
    seats.store.answer = () => late.promise;
    const gone = waiterOf(seats);
    const goneLeft = expect(gone.granted).rejects.toBe('left');
    gone.interrupt('left');
    late.resolve(YES);
    await goneLeft;
    await settlePromises();
    expect([seats.limiter.queued, seats.limiter.counters]).toEqual([0, { failures: 0, unlimited: 0 }]);
  });

  test('asks nobody before the time that a server asked for', async () => {
    const seats = seat({ maxWait: '10s' });
    seats.limiter.slowDown(2_000);
    const ends = [ending(seats), ending(seats)];
    await seats.clock.advance(1_999);
    expect(seats.store.asked).toHaveLength(0);
    await seats.clock.advance(1);
    expect(await Promise.all(ends)).toEqual(['granted@2000', 'granted@2000']);
    seats.limiter.slowDown(11_000);
    expect(await ending(seats)).toMatchObject({ retryAfterMs: 11_000 });
  });

  test('sends those in the line away who cannot wait for the time that a server asks for', async () => {
    const seats = seat({ maxWait: '500ms' });
    seats.store.answer = async () => no(100);
    const end = ending(seats);
    await settlePromises();
    seats.limiter.slowDown(600);
    expect(await end).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 600 });
    expect([seats.limiter.queued, seats.clock.timers.refed]).toEqual([0, 0]);
  });
});

describe('a store that is away', () => {
  const down = (): Promise<Taken> => Promise.reject(new Error('ECONNREFUSED'));

  test('lets calls go on by default, counted, and is left alone for a second', async () => {
    const seats = seat();
    seats.store.answer = down;
    expect(await ending(seats)).toBe('granted@0');
    expect(await ending(seats)).toBe('free');
    await seats.clock.advance(999);
    expect(await ending(seats)).toBe('free');
    expect(seats.store.asked).toHaveLength(1);
    seats.store.answer = async () => YES;
    await seats.clock.advance(1);
    expect(await ending(seats)).toBe('granted@1000');
    expect(seats.limiter.counters).toEqual({ failures: 1, unlimited: 3 });
  });

  test('closes the limit under failClosed, with the cause and the time of the next try', async () => {
    const seats = seat({ onStoreFailure: 'failClosed' });
    seats.store.answer = down;
    const first = await ending(seats);
    expect(first).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMIT_STORE',
      message: 'Guard "drive": the store of the rate limit cannot be asked, and no call goes on without it.',
      hint: "Look at the store, or set `rateLimit.onStoreFailure` to 'localShare' or 'failOpen'.",
      reason: 'rate_limited',
      retryAfterMs: 1_000,
      source: { guard: 'drive', policy: 'rate_limit' },
    });
    expect((first as Error).cause).toEqual(new Error('ECONNREFUSED'));
    await seats.clock.advance(400);
    expect(await ending(seats)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMIT_STORE', retryAfterMs: 600 });
  });

  test('leaves this process its part of the limit under localShare', async () => {
    const seats = seat({ onStoreFailure: 'localShare', processes: 3 });
    seats.store.answer = down;
    const ends = await Promise.all(Array.from({ length: 5 }, () => ending(seats)));
    expect(ends.filter((end) => end === 'granted@0')).toHaveLength(3);
    expect(ends.filter((end) => end instanceof RejectedError)).toHaveLength(2);
    expect(ends[4]).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 300 });
  });

  test('lets those who wait go on in the line of this process under localShare, and leave it', async () => {
    const seats = seat({ onStoreFailure: 'localShare', burst: 1, maxWait: '1s' });
    seats.store.answer = down;
    const ends = [ending(seats), ending(seats)];
    const third = waiterOf(seats);
    const left = expect(third.granted).rejects.toBe('left');
    await settlePromises();
    expect(seats.limiter.queued).toBe(2);
    third.interrupt('left');
    await left;
    await seats.clock.advance(1_000);
    expect(await Promise.all(ends)).toEqual(['granted@0', 'granted@100']);
    expect(seats.limiter.queued).toBe(0);
  });

  test('settles everybody in the line', async () => {
    const seats = seat({ maxWait: '1s' });
    seats.store.answer = async () => no(100);
    const ends = [ending(seats), ending(seats)];
    await settlePromises();
    seats.store.answer = down;
    await seats.clock.advance(100);
    expect(await Promise.all(ends)).toEqual(['granted@100', 'granted@100']);
    expect(seats.limiter.counters).toEqual({ failures: 1, unlimited: 2 });
    expect(seats.limiter.queued).toBe(0);
  });

  test('is one that gives no answer in time: its question is aborted, and a late answer changes nothing', async () => {
    const seats = seat({ onStoreFailure: 'failClosed', storeTimeout: '100ms' });
    const gate = deferred<Taken>();
    let reason: unknown;
    seats.store.answer = (signal) => {
      signal?.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return gate.promise;
    };
    const end = ending(seats);
    await seats.clock.advance(100);
    const error = await end;
    expect(error).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMIT_STORE' });
    expect((error as Error).cause).toMatchObject({
      code: 'ERR_KEELSON_STORE_TIMEOUT',
      message: 'The store gave no answer within 100 ms.',
      hint: 'Look at the store and the way to it; raise `rateLimit.storeTimeout` if it needs longer.',
    });
    expect(reason).toBe((error as Error).cause);
    gate.resolve(YES);
    await settlePromises();
    expect(seats.limiter.counters).toEqual({ failures: 1, unlimited: 0 });
  });

  test('may throw at once, or answer after its clock has gone back, and harms no call', async () => {
    const seats = seat();
    seats.store.answer = () => {
      throw new TypeError('broken');
    };
    expect(await ending(seats)).toBe('granted@0');
    expect(seats.limiter.enter(-3_600_000)).not.toBeUndefined();
    await settlePromises();
    expect(seats.limiter.counters.failures).toBe(2);
  });
});

test('the policy shares its limit under the key that it is given', async () => {
  const store = new ScriptedStore();
  const clock = new FakeClock();
  await rateLimit({ algorithm: 'bucket', limit: 1, per: '1s', store }, { clock, key: 'tenant-1' }).execute(
    failing(0),
  );
  await rateLimit({ algorithm: 'bucket', limit: 1, per: '1s', store }, { clock }).execute(failing(0));
  expect(store.asked).toEqual(['tenant-1', 'default']);
});
