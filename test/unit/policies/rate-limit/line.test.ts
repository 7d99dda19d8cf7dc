import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { RateWaiter } from '../../../../src/policies/rate-limit/index.ts';
import { resolveRateLimit } from '../../../../src/policies/rate-limit/options.ts';
import { RateLimiter } from '../../../../src/policies/rate-limit/rate-limiter.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

function waiterOf(entry: RateWaiter | RejectedError | undefined): RateWaiter {
  if (entry === undefined || entry instanceof RejectedError) throw new Error('The call does not wait.');
  return entry;
}

interface Lined {
  readonly limiter: RateLimiter;
  readonly clock: FakeClock;
  readonly turns: string[];
  /** Lets one more call wait. */
  readonly enter: (name: string) => RateWaiter;
}

/** A limit of 10 per second, two at once, that is used up. */
function usedUp(maxWait: number = 1_000): Lined {
  const clock = new FakeClock();
  const options = { algorithm: 'bucket', limit: 10, per: '1s', burst: 2, maxWait, queue: 3 } as const;
  const limiter = new RateLimiter(resolveRateLimit(options, new OptionChecker('rateLimit')), clock);
  while (limiter.tryAcquire(0) === 0);
  const turns: string[] = [];
  const enter = (name: string): RateWaiter => {
    const waiter = waiterOf(limiter.enter(clock.now()));
    waiter.granted.then(
      () => turns.push(`${name}@${clock.now()}`),
      (error: unknown) =>
        turns.push(`${name} ${error instanceof RejectedError ? error.message : String(error)}`),
    );
    return waiter;
  };
  return { limiter, clock, turns, enter };
}

describe('the line of a rate limit', () => {
  test('keeps the tokens that came for those who wait', async () => {
    const { limiter, clock, turns, enter } = usedUp();
    enter('first');
    clock.block(200);
    expect([limiter.available, limiter.tryAcquire(200)]).toEqual([0, 1]);
    enter('second');
    await clock.advance(0);
    expect(turns).toEqual(['first@200', 'second@200']);
  });

  test('has one timer, for the turn of its first', async () => {
    const { clock, enter } = usedUp();
    const first = enter('first');
    enter('second');
    expect(clock.timers.running).toBe(1);
    first.interrupt('left');
    first.interrupt('left again');
    await clock.advance(100);
    expect(clock.timers.running).toBe(0);
  });

  test('sends nobody away whose turn comes by the very end of their time, or a millisecond later', async () => {
    const { limiter, clock, turns, enter } = usedUp(100);
    enter('first');
    clock.block(1);
    limiter.slowDown(100);
    await clock.advance(100);
    expect(turns).toEqual(['first@101']);
  });

  test('says of those whom a pause sends away when their turn would be', async () => {
    const { limiter, clock, turns, enter } = usedUp();
    enter('first');
    limiter.slowDown(1_500);
    await clock.advance(0);
    expect(turns).toEqual(['first The limit of 10 per 1s is used up; the next turn is in 1.5s.']);
    expect([limiter.queued, clock.timers.running]).toEqual([0, 0]);
  });

  test('says that it is full', () => {
    const { limiter, enter } = usedUp();
    for (const name of ['first', 'second', 'third']) enter(name);
    expect(limiter.enter(0)).toMatchObject({
      message: 'The limit of 10 per 1s is used up, and all 3 places in the line are taken.',
    });
  });

  test('takes nobody in whose clock has no number', () => {
    const { limiter } = usedUp();
    expect(limiter.enter(Number.NaN)).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED' });
  });

  test('pays no heed to a pause that makes no sense', async () => {
    const { limiter, clock, turns, enter } = usedUp();
    enter('first');
    for (const pauseMs of [0, -1, Number.NaN]) limiter.slowDown(pauseMs);
    await clock.advance(100);
    expect(turns).toEqual(['first@100']);
  });
});
