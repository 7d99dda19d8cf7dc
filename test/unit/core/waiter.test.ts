import { describe, expect, test } from 'vitest';
import { Deadlines } from '../../../src/core/time/deadlines.ts';
import { Waiter } from '../../../src/core/waiter.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';

/** A waiter that notes why it left, for as long as it is in its queue. */
class Noted extends Waiter {
  isQueued = true;
  readonly reasons: unknown[] = [];

  protected leave(error: unknown): boolean {
    if (!this.isQueued) return false;
    this.isQueued = false;
    this.reasons.push(error);
    return true;
  }
}

async function endOf(waiter: Waiter): Promise<string> {
  const ends: string[] = [];
  waiter.granted.then(
    () => ends.push('granted'),
    (error) => ends.push(`rejected: ${error}`),
  );
  await settlePromises();
  return ends[0] ?? 'waits';
}

describe('a waiter', () => {
  test('waits until somebody grants', async () => {
    const waiter = new Noted();
    expect(await endOf(waiter)).toBe('waits');
    waiter.grant();
    expect(await endOf(waiter)).toBe('granted');
  });

  test('rejects with what it is refused with, and leaves no queue by that', async () => {
    const waiter = new Noted();
    waiter.refuse('full');
    expect([await endOf(waiter), waiter.reasons]).toEqual(['rejected: full', []]);
  });

  test('leaves its queue when it is interrupted, and rejects with the reason', async () => {
    const waiter = new Noted();
    waiter.interrupt('left');
    expect([await endOf(waiter), waiter.reasons]).toEqual(['rejected: left', ['left']]);
  });

  test('that is no longer in its queue is not interrupted', async () => {
    const waiter = new Noted();
    waiter.isQueued = false;
    waiter.interrupt('too late');
    expect(await endOf(waiter)).toBe('waits');
    waiter.grant();
    expect(await endOf(waiter)).toBe('granted');
  });

  test('goes on when its deadline is over, once it has left its queue', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const waiter = new Noted();
    deadlines.arm(deadlines.list(50), waiter, clock.now());
    await clock.advance(49);
    expect(await endOf(waiter)).toBe('waits');
    await clock.advance(1);
    expect([await endOf(waiter), waiter.reasons]).toEqual(['granted', [undefined]]);
  });
});
