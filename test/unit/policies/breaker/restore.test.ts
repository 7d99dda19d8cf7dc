import { describe, expect, test } from 'vitest';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { BreakerHandle, BreakerOptions, Guard } from '../../../../src/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

interface SetUp {
  readonly guard: Guard;
  readonly breaker: BreakerHandle;
  readonly transitions: readonly string[];
  /** Makes calls that are answered at once: `F` fails. */
  readonly calls: (results: string) => Promise<void>;
}

const clock = new FakeClock();

function setUp(options: BreakerOptions): SetUp {
  const guard = createKeelson({ clock, warn: () => {} }).guard('payments', { breaker: options });
  const transitions: string[] = [];
  guard.on((event) => {
    if (event.type === 'breaker.transition') transitions.push(`${event.from}/${event.to}`);
  });
  const calls = async (results: string): Promise<void> => {
    for (const result of results) await guard.outcome('charge', failing(result === 'F' ? 1 : 0));
  };
  if (!guard.breaker) throw new Error('The guard has a breaker.');
  return { guard, breaker: guard.breaker, transitions, calls };
}

function saved(changes: Record<string, unknown>): Record<string, unknown> {
  return { version: 1, state: 'closed', openings: 0, openUntil: null, rule: 0, ...changes };
}

describe('a restored breaker', () => {
  test('stays open for the rest of an `openFor` that is longer than `maxOpenFor`', async () => {
    const before = setUp({ failures: 1, openFor: '20m' });
    await before.calls('F');
    const after = setUp({ failures: 1, openFor: '20m' });
    after.breaker.restore(before.breaker.toJSON());
    expect(after.breaker.retryAfterMs).toBe(1_200_000);
  });

  test('tells of the state that it has taken up, once', () => {
    const { breaker, transitions } = setUp({});
    breaker.restore(saved({ state: 'disabled' }));
    breaker.restore(saved({ state: 'disabled' }));
    expect(transitions).toEqual(['closed/disabled']);
  });

  test('opens for longer each time, as if nothing had been between', async () => {
    const options = { failures: 1, openFor: '10s', openFactor: 2 } as const;
    const { breaker } = setUp(options);
    breaker.restore(saved({ state: 'open', openings: 3, openUntil: clock.epoch() }));
    expect(breaker.toJSON()).toMatchObject({ state: 'open', openings: 3 });
    const forgotten = setUp(options);
    forgotten.breaker.restore(saved({ state: 'open', openings: 0, openUntil: clock.epoch() }));
    expect(forgotten.breaker.toJSON().openings).toBe(1);
  });

  test('tries at once where the end of the open time is not known', () => {
    const { breaker } = setUp({});
    breaker.restore(saved({ state: 'open', openings: 1 }));
    expect(breaker.retryAfterMs).toBe(0);
  });

  test('lets nothing count that began before', async () => {
    const { guard, breaker } = setUp({ failures: 1 });
    const { promise, reject } = Promise.withResolvers<never>();
    const early = guard.outcome('charge', () => promise);
    breaker.restore(saved({}));
    reject(new Error('too late to count'));
    expect((await early).outcome).toBe('failure');
    expect(breaker.state).toBe('closed');
    expect(breaker.toJSON().rule).toBe(0);
  });

  test.each([
    ['more failures than open the circuit', 7, 4],
    ['one that is left to the limit', 4, 4],
    ['less than none', -1, 0],
    ['half of one', 1.5, 0],
    ['a text', '3', 0],
    ['nothing', null, 0],
    ['a list', [1], 0],
  ])('takes failures in a row where they are a count below the limit: %s', (_, rule, failures) => {
    const { breaker } = setUp({ failures: 5 });
    breaker.restore(saved({ rule }));
    expect(breaker.toJSON().rule).toBe(failures);
  });

  test.each([
    ['numbers alone', [0, 'x', 2, null], [0, 2]],
    ['the latest that the window holds', [0, 0, 1, 2, 3, 1, 0], [2, 3, 1, 0]],
    ['nothing of what is no list', { length: 2 }, []],
  ])('takes of a window by calls %s', (_, rule, kept) => {
    const { breaker } = setUp({
      failureRate: 1,
      slowCallRate: 1,
      slowCall: '1s',
      window: 4,
      minimumCalls: 100,
    });
    breaker.restore(saved({ rule }));
    expect(breaker.toJSON().rule).toEqual(kept);
  });

  test('keeps nothing of a window by time, and minds nothing of it', () => {
    const { breaker } = setUp({ failureRate: 1, window: '10s' });
    breaker.restore(saved({ rule: [1, 1, 1] }));
    expect(breaker.toJSON().rule).toBeNull();
  });

  test.each([
    [undefined, /Expected an object, got undefined/],
    ['text', /Expected an object, got string/],
    [null, /Expected an object, got null/],
    [saved({ version: undefined }), /Expected version 1, got none/],
    [saved({ version: 2 }), /Expected version 1, got 2/],
    [
      saved({ state: undefined }),
      /Expected a state of closed, open, half_open, forced_open, disabled, got none/,
    ],
    [saved({ state: 'ajar' }), /got "ajar"/],
    [saved({ openings: '1' }), /Expected a whole number of openings/],
    [saved({ openings: 0.5 }), /Expected a whole number of openings/],
    [saved({ openings: -1 }), /Expected a whole number of openings/],
    [saved({ openUntil: '2026' }), /Expected a time or null as openUntil/],
    [saved({ openUntil: Number.NaN }), /Expected a time or null as openUntil/],
    [saved({ openUntil: undefined }), /Expected a time or null as openUntil/],
  ])('says what is wrong with %j, and what to give', (wrong, message) => {
    const { breaker } = setUp({});
    expect(() => breaker.restore(wrong)).toThrow(message);
    expect(() => breaker.restore(wrong)).toThrow(
      /^breaker\.restore: .* Give what `breaker\.toJSON\(\)` gave\.$/,
    );
  });
});
