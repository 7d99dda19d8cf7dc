import type { IBreaker } from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { CockatielRule, ConsecutiveRule } from '../../../../src/policies/breaker/rule.ts';
import { CountWindow, TimeWindow } from '../../../../src/policies/breaker/window.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

const limits = { failureRate: 0.5, slowCallRate: undefined, minimumCalls: 1 };
const call = (failed: boolean, slow = false): { failed: boolean; slow: boolean } => ({ failed, slow });

describe('failures in a row', () => {
  test('take a call that failed after it was slow as one more', () => {
    const rule = new ConsecutiveRule(3);
    expect([rule.record(call(true)), rule.amendFailure(), rule.amendFailure()]).toEqual([false, false, true]);
    expect(rule.save()).toBe(3);
  });
});

describe("a strategy of cockatiel's", () => {
  function strategy(opens: boolean): IBreaker & { readonly told: string[] } {
    const told: string[] = [];
    return {
      told,
      state: 'as it was',
      success: () => told.push('success'),
      failure: () => {
        told.push('failure');
        return opens;
      },
    };
  }

  const unheard = (): never => {
    throw new Error('nothing has failed');
  };

  test('is told of every result, and opens the circuit when it says so after a failure', () => {
    const given = strategy(true);
    const rule = new CockatielRule(given, unheard);
    expect([rule.record(call(false)), rule.record(call(true)), rule.amendFailure()]).toEqual([
      false,
      true,
      true,
    ]);
    expect(given.told).toEqual(['success', 'failure', 'failure']);
  });

  test('keeps a state of its own over a restart', () => {
    const given = strategy(false);
    const rule = new CockatielRule(given, unheard);
    expect(rule.save()).toBe('as it was');
    rule.restore('as it will be');
    expect(given.state).toBe('as it will be');
  });

  test('neither opens the circuit nor reaches the caller when it throws', () => {
    const explode = (): never => {
      throw new Error('a strategy that throws');
    };
    const heard: unknown[] = [];
    const rule = new CockatielRule({ state: null, success: explode, failure: explode }, (error) =>
      heard.push(error),
    );
    expect([rule.record(call(true)), rule.record(call(false))]).toEqual([false, false]);
    expect(heard).toEqual([new Error('a strategy that throws'), new Error('a strategy that throws')]);
  });
});

describe('a window', () => {
  test('opens at the very rate of slow calls', () => {
    const rates = { failureRate: undefined, slowCallRate: 0.5, minimumCalls: 2 };
    for (const window of [new CountWindow(4, rates), new TimeWindow(1_000, rates, new FakeClock())]) {
      expect([window.record(call(true)), window.record(call(true, true))]).toEqual([false, true]);
    }
  });

  test('does not mind slow calls where only failures count', () => {
    const window = new CountWindow(4, { ...limits, failureRate: 1 });
    expect([window.record(call(false, true)), window.record(call(false, true))]).toEqual([false, false]);
  });

  test('by calls makes a failure of the latest call that has not failed', () => {
    const window = new CountWindow(4, { ...limits, failureRate: 1 });
    for (const failed of [true, false, false, true]) window.record(call(failed, !failed));
    expect(window.amendFailure()).toBe(false);
    expect(window.save()).toEqual([1, 2, 3, 1]);
    expect(window.amendFailure()).toBe(true);
    expect(window.save()).toEqual([1, 3, 3, 1]);
    expect(window.amendFailure()).toBe(true);
    expect(window.save()).toEqual([1, 3, 3, 1]);
  });

  test('by calls looks back around the end of its ring', () => {
    const window = new CountWindow(3, { ...limits, failureRate: 1 });
    for (const failed of [true, true, false, true]) window.record(call(failed));
    expect(window.save()).toEqual([1, 0, 1]);
    window.amendFailure();
    expect(window.save()).toEqual([1, 1, 1]);
  });

  test('by calls makes a failure of nothing while it is empty', () => {
    const window = new CountWindow(3, limits);
    expect(window.amendFailure()).toBe(false);
    expect(window.save()).toEqual([]);
  });

  test('by time counts a failure in place of the call that it was, and forgets both together', async () => {
    const clock = new FakeClock();
    const window = new TimeWindow(1_000, { ...limits, minimumCalls: 2 }, clock);
    expect([window.record(call(false, true)), window.record(call(false, true))]).toEqual([false, false]);
    expect(window.amendFailure()).toBe(true);
    await clock.advance(1_000);
    expect(window.record(call(false))).toBe(false);
    expect(window.record(call(false))).toBe(false);
    expect(window.amendFailure()).toBe(true);
  });
});
