import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RejectedError } from '../../src/core/errors.ts';
import { OptionChecker } from '../../src/core/options.ts';
import type { CacheResult } from '../../src/policies/cache/index.ts';
import { Cache } from '../../src/policies/cache/index.ts';
import { resolveCache } from '../../src/policies/cache/options.ts';
import { CACHE_RESULTS } from '../../src/policies/cache/result.ts';
import { FakeClock, seededRandom, settlePromises } from '../../src/testing/index.ts';
import type { LoadEnd, ModelRules } from './cache-model.ts';
import { CacheModel } from './cache-model.ts';

const KEYS = ['a', 'b', 'c'] as const;

const rules: fc.Arbitrary<ModelRules> = fc.record({
  ttl: fc.constantFrom(0, 10, 30),
  staleWhileRevalidate: fc.constantFrom(0, 8, 25),
  staleIfError: fc.constantFrom(0, 8, 40),
  negativeTtl: fc.constantFrom(0, 15),
  picksAnswers: fc.boolean(),
  retrySourceAfter: fc.constantFrom(0, 7),
  maxEntries: fc.constantFrom(1, 2, 3),
});

const request = fc.record({
  key: fc.constantFrom(...KEYS),
  end: fc.constantFrom<LoadEnd>('value', 'value', 'value', 'down', 'answer', 'rejection', 'throws'),
  durationMs: fc.constantFrom(0, 1, 5, 20),
  isFast: fc.boolean(),
});

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('ask' as const),
      requests: fc.array(request, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), back: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }),
  },
);

/** The cache with loads on a fake clock; it notes how each request ends in the words of the model. */
class Driven {
  readonly clock = new FakeClock();
  readonly endings = new Map<number, string>();
  readonly callers: AbortController[] = [];
  readonly cache: Cache;
  loads = 0;

  constructor({ picksAnswers, ...windows }: ModelRules) {
    const isAnswer = (error: unknown): boolean => String(error).includes('answer');
    const negativeIf = picksAnswers ? { negativeIf: isAnswer } : {};
    const check = new OptionChecker('cache');
    this.cache = new Cache(
      resolveCache({ ...windows, ...negativeIf, jitter: 0 }, check),
      this.clock,
      Math.random,
    );
    check.done();
  }

  request(
    id: number,
    { key, end, durationMs, isFast }: { key: string; end: LoadEnd; durationMs: number; isFast: boolean },
  ): void {
    const caller = new AbortController();
    this.callers.push(caller);
    const hit = isFast ? this.cache.fresh(key, this.clock.now()) : undefined;
    if (hit) {
      this.#end(id, `hit ${String(hit.value)} aged ${this.clock.now() - hit.storedAt}`);
      return;
    }
    this.cache
      .through(key, () => this.#load(end, durationMs), caller)
      .then(
        (result) => this.#end(id, said(result)),
        (error) => this.#end(id, error === 'left' ? 'aborted' : `failed ${messageOf(error)}`),
      );
  }

  #load(end: LoadEnd, durationMs: number): Promise<string> {
    this.loads += 1;
    const value = `v${this.loads}`;
    const error = errorFor(end, `${end}${this.loads}`);
    if (end === 'throws') throw error;
    const settled = (): Promise<string> => (error ? Promise.reject(error) : Promise.resolve(value));
    if (durationMs === 0) return settled();
    return new Promise((resolve) => this.clock.setTimer(() => resolve(settled()), durationMs));
  }

  #end(id: number, line: string): void {
    this.endings.set(id, `${line} at ${this.clock.now()}`);
  }
}

function errorFor(end: LoadEnd, message: string): Error | undefined {
  if (end === 'value') return undefined;
  return end === 'rejection'
    ? new RejectedError('ERR_KEELSON_BREAKER_OPEN', 'open', message)
    : new Error(message);
}

function said(result: CacheResult<string>): string {
  const text = result.result === 'negative' ? messageOf(result.error) : result.value;
  return `${result.result} ${text} aged ${result.ageMs}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

test('the cache answers as its model does, whatever happens to sources, callers and keys', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.array(step, { maxLength: 40 }), async (given, steps) => {
      const model = new CacheModel(given);
      const real = new Driven(given);
      let requests = 0;
      for (const action of steps) {
        if (action.type === 'ask') {
          for (const { key, end, durationMs, isFast } of action.requests) {
            model.request(requests, key, end, durationMs);
            real.request(requests, { key, end, durationMs, isFast });
            requests += 1;
          }
        } else if (action.type === 'abort') {
          const last = requests - 1 - action.back;
          model.abort(last);
          real.callers[last]?.abort('left');
        } else if (action.type === 'delete') {
          model.delete(action.key);
          await real.cache.delete(action.key);
        } else {
          model.advance(action.ms);
          await real.clock.advance(action.ms);
        }
        model.turn();
        await settlePromises();
        expect(Object.fromEntries(real.endings)).toEqual(Object.fromEntries(model.endings));
        expect([real.loads, real.cache.entries]).toEqual([model.loads, model.entries]);
      }
      model.advance(30);
      await real.clock.advance(30);
      expect(Object.fromEntries(real.endings)).toEqual(Object.fromEntries(model.endings));
      expect([real.endings.size, real.cache.loading]).toEqual([requests, 0]);
      const counted = CACHE_RESULTS.reduce((sum, result) => sum + real.cache.counts[result], 0);
      expect(counted).toBe(requests);
    }),
    { numRuns: 500 },
  );
});

test('a value is fresh for at most its ttl, and at least for the share that the jitter leaves', async () => {
  const ttl = fc.integer({ min: 1, max: 1e9 });
  const jitter = fc.double({ min: 0, max: 1, noNaN: true });
  await fc.assert(
    fc.asyncProperty(ttl, jitter, fc.integer(), async (ttlMs, share, seed) => {
      const clock = new FakeClock();
      const check = new OptionChecker('cache');
      const cache = new Cache(resolveCache({ ttl: ttlMs, jitter: share }, check), clock, seededRandom(seed));
      check.done();
      await cache.through('a', () => 1);
      expect(cache.fresh('a', ttlMs)).toBeUndefined();
      const least = ttlMs * (1 - share);
      expect(cache.fresh('a', least * (1 - 1e-9)) !== undefined || least === 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
