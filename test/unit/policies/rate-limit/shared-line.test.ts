import { describe, expect, test, vi } from 'vitest';
import type { Taken } from '../../../../src/policies/rate-limit/index.ts';
import { settlePromises } from '../../../../src/testing/index.ts';
import { deferred } from '../../../support/deferred.ts';
import type { Seat } from './shared-limit-seat.ts';
import { ending, no, seat, waiterOf, YES } from './shared-limit-seat.ts';

const down = (): Promise<Taken> => Promise.reject(new Error('ECONNREFUSED'));

/** A limit of 10 per second whose store has refused one call, which waits for the store's next answer in 100 ms. */
async function lined(options: Parameters<typeof seat>[0] = { maxWait: '10s' }): Promise<{
  seats: Seat;
  first: Promise<unknown>;
}> {
  const seats = seat(options);
  seats.store.answer = async () => ({ ...no(100), remaining: 3 });
  const first = ending(seats);
  await settlePromises();
  return { seats, first };
}

describe('the line of a shared limit', () => {
  test('keeps what the store has for those who wait, and asks for nobody else', async () => {
    const { seats, first } = await lined();
    expect([seats.limiter.queued, seats.limiter.available]).toEqual([1, 0]);
    const second = ending(seats);
    await settlePromises();
    expect([seats.limiter.queued, seats.store.asked.length]).toEqual([2, 1]);
    seats.store.answer = async () => YES;
    await seats.clock.advance(100);
    expect(await Promise.all([first, second])).toEqual(['granted@100', 'granted@100']);
    expect(seats.limiter.available).toBe(7);
  });

  test('has room for as long as a turn comes in time: one interval more for each who is before', async () => {
    const seats = seat({ maxWait: '200ms' });
    seats.store.answer = async () => no(100);
    void ending(seats);
    void ending(seats);
    const third = ending(seats);
    expect(await third).toMatchObject({
      retryAfterMs: 300,
      message: 'Guard "drive": the limit of 10 per 1s is used up; the next turn is in 300ms.',
    });
    expect(seats.limiter.queued).toBe(2);
    expect(await ending(seats)).toMatchObject({ retryAfterMs: 300 });
  });

  test('says that it is full', async () => {
    const { seats } = await lined({ maxWait: '10s', queue: 1 });
    expect(await ending(seats)).toMatchObject({
      message: 'Guard "drive": the limit of 10 per 1s is used up, and all 1 places in the line are taken.',
    });
  });

  test('lets a call leave, and asks nobody when it is empty', async () => {
    const seats = seat({ maxWait: '10s' });
    seats.store.answer = async () => no(100);
    const waiter = waiterOf(seats);
    const left = expect(waiter.granted).rejects.toBe('left');
    await settlePromises();
    expect(seats.limiter.queued).toBe(1);
    waiter.interrupt('left');
    await left;
    expect([seats.limiter.queued, seats.clock.timers.refed]).toEqual([0, 0]);
    await seats.clock.advance(1_000);
    expect(seats.store.asked).toHaveLength(1);
  });

  test('does not take in a call that left while the store was asked', async () => {
    const seats = seat({ maxWait: '10s' });
    const gate = deferred<Taken>();
    seats.store.answer = () => gate.promise;
    const waiter = waiterOf(seats);
    const left = expect(waiter.granted).rejects.toBe('left');
    waiter.interrupt('left');
    await left;
    gate.resolve(no(100));
    await settlePromises();
    expect(seats.limiter.queued).toBe(0);
  });

  test('goes on for the others when a call leaves', async () => {
    const { seats, first } = await lined();
    const second = waiterOf(seats);
    const left = expect(second.granted).rejects.toBe('left');
    second.interrupt('left');
    await left;
    seats.store.answer = async () => YES;
    await seats.clock.advance(100);
    expect(await first).toBe('granted@100');
  });

  test('asks when the first answer said, whatever later answers say', async () => {
    const seats = seat({ maxWait: '10s' });
    const later = deferred<Taken>();
    seats.store.answer = async () => no(100);
    const first = ending(seats);
    seats.store.answer = () => later.promise;
    void ending(seats);
    await settlePromises();
    later.resolve(no(300));
    seats.store.answer = async () => YES;
    await seats.clock.advance(100);
    expect(await first).toBe('granted@100');
  });

  test('lets a call wait to the very end of its time, and no longer', async () => {
    const seats = seat({ maxWait: '200ms' });
    seats.store.answer = async () => no(100);
    const [first, second] = [ending(seats), ending(seats)];
    await seats.clock.advance(100);
    expect(await second).toMatchObject({ retryAfterMs: 200 });
    seats.store.answer = async () => YES;
    await seats.clock.advance(100);
    expect(await first).toBe('granted@200');
  });

  test('never asks for two at once, also where the one that it asked for has left', async () => {
    const seats = seat({ maxWait: '10s' });
    seats.store.answer = async () => no(100);
    const head = waiterOf(seats);
    const left = expect(head.granted).rejects.toBe('left');
    await settlePromises();
    const gate = deferred<Taken>();
    seats.store.answer = () => gate.promise;
    await seats.clock.advance(100);
    head.interrupt('left');
    await left;
    seats.limiter.slowDown(50);
    const next = ending(seats);
    await seats.clock.advance(60);
    expect(seats.store.asked).toHaveLength(2);
    gate.resolve(YES);
    expect(await next).toBe('granted@160');
  });

  test('asks up to a tenth of an interval later than the store said, so that processes do not meet', async () => {
    const seats = seat({ maxWait: '10s' }, () => 0.5);
    seats.store.answer = async () => no(100);
    void ending(seats);
    await seats.clock.advance(104);
    expect(seats.store.asked).toHaveLength(1);
    await seats.clock.advance(1);
    expect(seats.store.asked).toHaveLength(2);
  });
});

describe('a pause that a server asks for', () => {
  test('holds back those in the line who can wait for its end', async () => {
    const { seats, first } = await lined();
    seats.limiter.slowDown(2_000);
    seats.limiter.slowDown(500);
    await seats.clock.advance(1_999);
    expect(seats.store.asked).toHaveLength(1);
    seats.store.answer = async () => YES;
    await seats.clock.advance(1);
    expect(await first).toBe('granted@2000');
  });

  test('holds back the next in the line while the store is being asked', async () => {
    const { seats, first } = await lined();
    const second = ending(seats);
    const gate = deferred<Taken>();
    seats.store.answer = () => gate.promise;
    await seats.clock.advance(100);
    seats.limiter.slowDown(2_000);
    seats.store.answer = async () => YES;
    gate.resolve(YES);
    expect(await first).toBe('granted@100');
    await seats.clock.advance(1_999);
    expect(seats.store.asked).toHaveLength(2);
    await seats.clock.advance(1);
    expect(await second).toBe('granted@2100');
  });

  test('stays as it is while the clock gives no time', async () => {
    const seats = seat({ maxWait: '10s' });
    seats.limiter.slowDown(2_000);
    vi.spyOn(seats.clock, 'now').mockReturnValueOnce(Number.NaN);
    seats.limiter.slowDown(500);
    const end = ending(seats);
    await seats.clock.advance(2_000);
    expect(await end).toBe('granted@2000');
  });

  test.each([0, -1, Number.NaN])('of %d ms is none', async (pauseMs) => {
    const seats = seat({ maxWait: '10s' });
    seats.limiter.slowDown(pauseMs);
    expect(await ending(seats)).toBe('granted@0');
  });

  test('is over where the clock has gone back by more than it can be long', () => {
    const seats = seat({ maxWait: '10s' });
    seats.limiter.slowDown(10_000);
    void seats.limiter.enter(-3_600_000);
    expect(seats.store.asked).toHaveLength(1);
  });

  test('holds for the part of this process too while the store is away', async () => {
    const seats = seat({ onStoreFailure: 'localShare' });
    seats.store.answer = down;
    expect(await ending(seats)).toBe('granted@0');
    seats.limiter.slowDown(5_000);
    expect(await ending(seats)).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMITED',
      retryAfterMs: 5_000,
    });
  });
});

describe('a token that was not used', () => {
  test('goes back to the part of this process while the store is away', async () => {
    const seats = seat({ onStoreFailure: 'localShare', burst: 1 });
    seats.store.answer = down;
    expect(await ending(seats)).toBe('granted@0');
    expect(await ending(seats)).toMatchObject({ retryAfterMs: 100 });
    seats.limiter.giveBack(0);
    expect(await ending(seats)).toBe('free');
  });

  test('is lost where the store gave it, since stores take none back', async () => {
    const seats = seat({ onStoreFailure: 'localShare', limit: 1, per: '1m' });
    seats.store.answer = down;
    expect(await ending(seats)).toBe('granted@0');
    await seats.clock.advance(1_000);
    seats.store.answer = async () => YES;
    const stored = waiterOf(seats);
    await stored.granted;
    seats.limiter.giveBack(1_000, stored);
    seats.store.answer = down;
    expect(await ending(seats)).toMatchObject({ retryAfterMs: 59_000 });
  });
});
