import type { ExponentialHistogram, Histogram } from '@opentelemetry/sdk-metrics';

/** A histogram as text formats can write it. */
export interface Buckets {
  /** Upper bounds, ascending, without the last one at infinity. */
  readonly bounds: readonly number[];
  /** Observations in each bucket, not cumulated. */
  readonly counts: readonly number[];
  readonly count: number;
  /** Absent where the observations may be negative. */
  readonly sum: number | undefined;
}

/** Steps for each doubling at most, as a power of two: 2^2. More would give a scrape hundreds of lines for each series. */
const MAX_SCALE = 2;

/** Buckets of a histogram with bounds of its own. */
export function explicitBuckets({ buckets, count, sum }: Histogram): Buckets {
  return { bounds: buckets.boundaries, counts: buckets.counts, count, sum };
}

/** Observations by index at a lower scale; bucket i holds (2^(i/2^scale), 2^((i+1)/2^scale)]. */
function scaled(side: ExponentialHistogram['positive'], down: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [position, count] of side.bucketCounts.entries()) {
    if (count === 0) continue;
    const index = Math.floor((side.offset + position) / 2 ** down);
    counts.set(index, (counts.get(index) ?? 0) + count);
  }
  return counts;
}

/**
 * The text formats have no exponential histograms: they get the classic buckets that their own become at a scale of at most 2. All bounds lie
 * on one fixed grid, so that series keep theirs from scrape to scrape. Empty buckets are left out, but for the one below each that is filled:
 * its bound is what a quantile is interpolated from. Indices and scales: OpenTelemetry's metrics data model, "ExponentialHistogram".
 */
export function exponentialBuckets(histogram: ExponentialHistogram): Buckets {
  const scale = Math.min(histogram.scale, MAX_SCALE);
  const down = histogram.scale - scale;
  const edge = (index: number): number => 2 ** (index / 2 ** scale);
  const filled = new Map<number, number>();
  const add = (lower: number, upper: number, count: number): void => {
    filled.set(lower, filled.get(lower) ?? 0);
    filled.set(upper, (filled.get(upper) ?? 0) + count);
  };
  for (const [index, count] of scaled(histogram.negative, down)) add(-edge(index + 1), -edge(index), count);
  if (histogram.zeroCount > 0) add(0, 0, histogram.zeroCount);
  for (const [index, count] of scaled(histogram.positive, down)) add(edge(index), edge(index + 1), count);
  const finite = [...filled].filter(([bound]) => Number.isFinite(bound)).sort(([a], [b]) => a - b);
  return {
    bounds: finite.map(([bound]) => bound),
    counts: finite.map(([, count]) => count),
    count: histogram.count,
    sum: histogram.sum,
  };
}

/** @returns both together; `undefined` where their bounds differ */
export function mergedBuckets(one: Buckets, other: Buckets): Buckets | undefined {
  if (one.bounds.length !== other.bounds.length) return undefined;
  if (one.bounds.some((bound, index) => bound !== other.bounds[index])) return undefined;
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, index) => count + (other.counts[index] ?? 0)),
    count: one.count + other.count,
    sum: one.sum === undefined || other.sum === undefined ? undefined : one.sum + other.sum,
  };
}
