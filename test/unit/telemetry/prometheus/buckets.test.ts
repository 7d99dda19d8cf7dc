import { AggregationType, DataPointType } from '@opentelemetry/sdk-metrics';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exponentialBuckets, mergedBuckets } from '../../../../src/telemetry/prometheus/buckets.ts';
import type { Buckets } from '../../../../src/telemetry/prometheus/buckets.ts';
import { exposition } from '../../../../src/telemetry/prometheus/exposition.ts';
import { readExposition } from '../../../support/exposition.ts';
import { collected } from '../../../support/metrics.ts';

const views = [
  { instrumentName: 'exp', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const },
];

/** Recorded through an up-down counter, since the SDK's histograms take nothing below 0. */
async function bucketsOf(values: readonly number[]): Promise<Buckets> {
  const metrics = await collected(
    (meter) => {
      for (const value of values) meter.createUpDownCounter('exp').add(value);
    },
    { views },
  );
  const [metric] = metrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const point =
    metric?.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM ? metric.dataPoints[0] : undefined;
  if (!point) throw new Error('There is no exponential histogram.');
  return exponentialBuckets(point.value);
}

const amount = fc.double({ min: 1e-9, max: 1e9, noNaN: true });
const values = fc.array(
  fc.oneof(
    amount,
    amount.map((value) => -value),
    fc.constant(0),
  ),
  { minLength: 1 },
);

describe('the classic buckets of an exponential histogram', () => {
  test('hold at each bound what is not above it', async () => {
    await fc.assert(
      fc.asyncProperty(values, async (recorded) => {
        const { bounds, counts, count } = await bucketsOf(recorded);
        expect(count).toBe(recorded.length);
        let cumulated = 0;
        for (const [index, bound] of bounds.entries()) {
          cumulated += counts[index] ?? 0;
          // A value at a bound may be on either side of it, by the last bit of a logarithm.
          const slack = Math.abs(bound) * 1e-9;
          expect(cumulated).toBeGreaterThanOrEqual(recorded.filter((each) => each < bound - slack).length);
          expect(cumulated).toBeLessThanOrEqual(recorded.filter((each) => each <= bound + slack).length);
        }
        expect(cumulated).toBe(count);
        expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  test('have a bound below and above each value, at most a fifth apart, all on one grid', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 1, max: 1.5, noNaN: true }), { minLength: 1 }),
        async (some) => {
          const { bounds } = await bucketsOf(some);
          for (const value of some) {
            const upper = Math.min(...bounds.filter((bound) => bound >= value * (1 - 1e-9)));
            expect(bounds.some((bound) => bound <= value * (1 + 1e-9) && upper / bound < 1.2)).toBe(true);
          }
          for (const bound of bounds)
            expect(Math.log2(bound) * 4).toBeCloseTo(Math.round(Math.log2(bound) * 4), 9);
        },
      ),
    );
  });

  test('are a histogram in the exposition', async () => {
    const metrics = await collected(
      (meter) => {
        for (const value of [0.001, 1, 1.1, 65]) meter.createHistogram('exp', { unit: 's' }).record(value);
      },
      { views },
    );
    const options = { format: 'openmetrics', exemplars: () => [], warn: () => {} } as const;
    const [, family] = readExposition([...exposition(metrics, options)].join(''), 'openmetrics');
    expect(family).toMatchObject({ name: 'exp_seconds', type: 'histogram', unit: 'seconds' });
    expect(family?.samples.at(-1)).toMatchObject({ name: 'exp_seconds_count', value: 4 });
  });
});

describe('histograms of the same series', () => {
  const one: Buckets = { bounds: [1, 2], counts: [1, 2, 3], count: 6, sum: 12 };

  test('add up', () => {
    expect(mergedBuckets(one, { ...one, counts: [10, 20, 30], count: 60, sum: 100 })).toEqual({
      bounds: [1, 2],
      counts: [11, 22, 33],
      count: 66,
      sum: 112,
    });
  });

  test('have no sum where one has none', () => {
    expect(mergedBuckets(one, { ...one, sum: undefined })?.sum).toBeUndefined();
  });

  test.each([[[1, 3]], [[1]], [[1, 2, 3]]])('do not add up where the bounds are %j', (bounds) => {
    expect(mergedBuckets(one, { ...one, bounds })).toBeUndefined();
  });
});
