import { OptionChecker } from '../../../../src/core/options.ts';
import type { CacheOptions, CacheResult } from '../../../../src/policies/cache/index.ts';
import { Cache } from '../../../../src/policies/cache/index.ts';
import { resolveCache } from '../../../../src/policies/cache/options.ts';
import { FakeClock } from '../../../../src/testing/index.ts';

/** A cache on a fake clock, without jitter unless it is asked for. */
export function buildCache(
  options: Partial<CacheOptions> = {},
  random: () => number = () => 0.5,
): { cache: Cache; clock: FakeClock; tierErrors: unknown[] } {
  const check = new OptionChecker('cache');
  const resolved = resolveCache({ ttl: 1_000, jitter: 0, ...options }, check);
  check.done();
  const clock = new FakeClock();
  const tierErrors: unknown[] = [];
  const cache = new Cache(resolved, clock, random, {
    failed: (error) => tierErrors.push(error),
    answered: () => {},
  });
  return { cache, clock, tierErrors };
}

/** A source that gives `v1`, `v2`, ..., until it is told to fail. It counts its loads. */
export interface Source {
  (): Promise<string>;
  loads: number;
  error: unknown;
}

export function source(): Source {
  const load = async (): Promise<string> => {
    load.loads += 1;
    if (load.error !== undefined) throw load.error;
    return `v${load.loads}`;
  };
  load.loads = 0;
  load.error = undefined as unknown;
  return load;
}

/** The parts of a result that a test looks at: `hit v1 300`. */
export function shown(result: CacheResult<unknown>): string {
  const said = result.result === 'negative' ? messageOf(result.error) : String(result.value);
  return `${result.result} ${said} ${result.ageMs}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
