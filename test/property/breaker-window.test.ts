import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CountWindow, TimeWindow } from '../../src/policies/breaker/window.ts';

const limits = fc.record({
  failureRate: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true }), { nil: undefined }),
  slowCallRate: fc.option(fc.double({ min: 0.05, max: 1, noNaN: true }), { nil: undefined }),
  minimumCalls: fc.integer({ min: 1, max: 8 }),
});
const call = fc.record({
  failed: fc.boolean(),
  slow: fc.boolean(),
  afterMs: fc.integer({ min: 0, max: 400 }),
});

interface Recorded {
  readonly failed: boolean;
  readonly slow: boolean;
  readonly now: number;
}

function opens(calls: readonly Recorded[], { failureRate, slowCallRate, minimumCalls }: Limits): boolean {
  if (calls.length < minimumCalls) return false;
  const failing =
    failureRate !== undefined && calls.filter(({ failed }) => failed).length / calls.length >= failureRate;
  return (
    failing ||
    (slowCallRate !== undefined && calls.filter(({ slow }) => slow).length / calls.length >= slowCallRate)
  );
}

interface Limits {
  readonly failureRate: number | undefined;
  readonly slowCallRate: number | undefined;
  readonly minimumCalls: number;
}

test('a count window answers as a list of the last calls does', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      limits,
      fc.array(call, { maxLength: 60 }),
      (size, rates, calls) => {
        const window = new CountWindow(size, rates);
        const list: Recorded[] = [];
        for (const { failed, slow } of calls) {
          list.push({ failed, slow, now: 0 });
          expect(window.record({ failed, slow })).toBe(opens(list.slice(-size), rates));
        }
        const copy = new CountWindow(size, rates);
        copy.restore(JSON.parse(JSON.stringify(window.save())));
        expect(copy.save()).toEqual(window.save());
      },
    ),
    { numRuns: 300 },
  );
});

test('a time window answers as a list of the calls in its ten slices does', () => {
  fc.assert(
    fc.property(limits, fc.array(call, { maxLength: 60 }), (rates, calls) => {
      let now = 12_345;
      const window = new TimeWindow(1_000, rates, { now: () => now });
      const list: Recorded[] = [];
      for (const { failed, slow, afterMs } of calls) {
        now += afterMs;
        list.push({ failed, slow, now });
        const inWindow = list.filter((one) => Math.floor(one.now / 100) > Math.floor(now / 100) - 10);
        expect(window.record({ failed, slow })).toBe(opens(inWindow, rates));
      }
    }),
    { numRuns: 300 },
  );
});

test('a time window takes a clock that goes backwards as one that stands still', () => {
  const clock = { time: 3_600_000, now: () => clock.time };
  const window = new TimeWindow(1_000, { failureRate: 1, slowCallRate: undefined, minimumCalls: 2 }, clock);
  expect(window.record({ failed: true, slow: false })).toBe(false);
  clock.time = 0;
  expect(window.record({ failed: true, slow: false })).toBe(true);
});
