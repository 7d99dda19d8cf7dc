import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { LimiterStore, RateWindow } from '../../src/policies/rate-limit/index.ts';

const MICROS_PER_MS = 1_000;
/** Calls that come together, and the milliseconds until the next ones come. */
const ARRIVALS = fc.array(
  fc.record({ together: fc.integer({ min: 0, max: 12 }), thenMs: fc.integer({ min: 0, max: 40 }) }),
  { minLength: 5, maxLength: 15 },
);

/** What the property is checked on. */
export interface WindowSeat {
  /** Stores of the same state, such as those of two processes. */
  readonly stores: readonly LimiterStore[];
  readonly pass: (ms: number) => Promise<void>;
  readonly numRuns: number;
}

/**
 * Lets calls arrive at random at a window of 50 ms, gives some of their tokens back, and checks the times of the grants by the clock of the store itself:
 * no half-open interval of 50 ms has more than the limit, and a call is refused only if the window is full.
 */
export async function checkWindowArrivals({ stores, pass, numRuns }: WindowSeat): Promise<void> {
  let keys = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 10 }), ARRIVALS, async (limit, arrivals) => {
      const window: RateWindow = { limit, perMs: 50 };
      const key = `window-${(keys += 1)}`;
      const grants: number[] = [];
      let turn = 0;
      for (const { together, thenMs } of arrivals) {
        const answers = await Promise.all(
          Array.from({ length: together }, async () =>
            stores[(turn += 1) % stores.length]?.takeFromWindow?.(key, window),
          ),
        );
        const granted = answers.flatMap((taken) => (taken?.granted === true ? [taken.at ?? Number.NaN] : []));
        if (granted.length < together) expect(grants.length + granted.length).toBeGreaterThanOrEqual(limit);
        // Every third grant of a turn is not used.
        for (const [index, at] of granted.entries()) {
          if (index % 3 === 2) await stores[0]?.giveBack?.(key, window, at);
          else grants.push(at);
        }
        await pass(thenMs);
      }
      grants.sort((a, b) => a - b);
      for (const [index, at] of grants.entries()) {
        const next = grants[index + limit];
        if (next !== undefined) expect(next - at).toBeGreaterThanOrEqual(window.perMs * MICROS_PER_MS);
      }
    }),
    { numRuns },
  );
}
