import * as cockatiel from 'cockatiel';
import * as cockatiel3 from 'cockatiel3';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createKeelson } from '../../../../src/guard/index.ts';
import { settlePromises } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';
import { memoryTelemetry, valueOf } from '../../../support/memory-telemetry.ts';

type Library = typeof cockatiel;
/** The two have the same shape as far as it matters here. */
const LIBRARIES: readonly (readonly [string, Library])[] = [
  ['4', cockatiel],
  ['3', cockatiel3 as never],
];

const retryOf = (lib: Library): cockatiel.RetryPolicy =>
  lib.retry(lib.handleAll, { maxAttempts: 2, backoff: new lib.ConstantBackoff(10) });
const breakerOf = (lib: Library): cockatiel.CircuitBreakerPolicy =>
  lib.circuitBreaker(lib.handleAll, { halfOpenAfter: 50, breaker: new lib.ConsecutiveBreaker(2) });
const timeoutOf = (lib: Library): cockatiel.TimeoutPolicy => lib.timeout(20, lib.TimeoutStrategy.Aggressive);
const fallbackOf = (lib: Library): cockatiel.FallbackPolicy<string> =>
  lib.fallback(lib.handleAll, 'stand-in');

interface Case {
  readonly name: string;
  readonly make: (lib: Library) => cockatiel.IPolicy<cockatiel.IDefaultPolicyContext, unknown>;
  /** What is reported after the scenario: calls by outcome and origin, attempts by outcome, rejections by reason. */
  readonly calls: Readonly<Record<string, number>>;
  readonly attempts: Readonly<Record<string, number>>;
  readonly rejections: Readonly<Record<string, number>>;
}

const USUAL: Pick<Case, 'calls' | 'attempts'> = {
  calls: { 'success live': 9, 'failure live': 2, 'cancelled live': 1 },
  attempts: { success: 9, failure: 2, cancelled: 1 },
};

const CASES: readonly Case[] = [
  { name: 'a noop', make: (lib) => lib.noop, ...USUAL, rejections: {} },
  { name: 'an aggressive timeout', make: timeoutOf, ...USUAL, rejections: {} },
  {
    name: 'a cooperative timeout',
    make: (lib) => lib.timeout(20, lib.TimeoutStrategy.Cooperative),
    ...USUAL,
    rejections: {},
  },
  {
    name: 'a retry',
    make: retryOf,
    calls: USUAL.calls,
    attempts: { success: 9, failure: 6, cancelled: 1 },
    rejections: {},
  },
  {
    name: 'a breaker',
    make: breakerOf,
    calls: { 'success live': 3, 'failure live': 2, 'rejected live': 7 },
    attempts: { success: 3, failure: 2 },
    rejections: { open: 7 },
  },
  {
    name: 'a bulkhead',
    make: (lib) => lib.bulkhead(1, 1),
    calls: { 'success live': 7, 'failure live': 2, 'rejected live': 1, 'cancelled live': 2 },
    attempts: { success: 7, failure: 2, cancelled: 1 },
    rejections: { full: 1 },
  },
  {
    name: 'a fallback',
    make: fallbackOf,
    calls: { 'success live': 9, 'success fallback': 3 },
    attempts: USUAL.attempts,
    rejections: {},
  },
  {
    name: 'a wrap of all of them',
    make: (lib) =>
      lib.wrap(
        fallbackOf(lib),
        retryOf(lib),
        breakerOf(lib),
        lib.wrap(lib.bulkhead(2, 1), timeoutOf(lib), lib.noop),
      ),
    calls: { 'success live': 4, 'success fallback': 8 },
    attempts: { success: 6, failure: 2 },
    rejections: { open: 19 },
  },
];

const EVENTS = [
  'onSuccess',
  'onFailure',
  'onRetry',
  'onGiveUp',
  'onTimeout',
  'onReject',
  'onBreak',
  'onReset',
  'onHalfOpen',
  'onStateChange',
] as const;

const START = 1_000_000;
const FAILURE = new TypeError('the very error');

/** A function for the scenario; `undefined` stands for a wait until its signal aborts. */
type Body = (context: cockatiel.IDefaultPolicyContext) => unknown;
const BODIES: Readonly<Record<string, Body>> = {
  'a value': async () => 'value',
  'a value at once': () => 'at once',
  'a failure': async () => Promise.reject(FAILURE),
  'a failure at once': () => {
    throw FAILURE;
  },
  'a slow value': () => new Promise((resolve) => setTimeout(resolve, 15, 'slow')),
  'a function that ends with its signal': ({ signal }) =>
    new Promise((resolve) => {
      setTimeout(resolve, 35, 'very slow');
      signal.addEventListener('abort', () => resolve('ended'));
    }),
};

/** Puts a policy through everything. @returns what callers, functions and listeners saw, and when */
async function experienceOf(
  policy: cockatiel.IPolicy<cockatiel.IDefaultPolicyContext, unknown>,
): Promise<unknown[]> {
  const startedAt = Date.now();
  const seen: unknown[] = [];
  const note = (...what: unknown[]): number => seen.push([Date.now() - startedAt, ...what]);
  for (const event of EVENTS) {
    const subscribe: unknown = Reflect.get(policy, event);
    if (typeof subscribe === 'function') subscribe((payload: unknown) => note(event, payload));
  }
  const call = (name: string, body: Body, signal?: AbortSignal): Promise<unknown> =>
    policy
      .execute((context) => {
        note(name, 'runs with', Object.keys(context), context.signal instanceof AbortSignal);
        return body(context);
      }, signal)
      .then(
        (value) => note(name, 'gives', value),
        (error: Error) => note(name, 'throws', error, error.constructor.name, error === FAILURE),
      );
  for (const [name, body] of Object.entries(BODIES)) await call(name, body);
  await Promise.all([1, 2, 3].map((n) => call(`crowd ${n}`, () => new Promise((r) => setTimeout(r, 5, n)))));
  await call('a caller who left before', async () => 'value', AbortSignal.abort(new Error('left')));
  const left = new AbortController();
  setTimeout(() => left.abort(new Error('left')), 5);
  await call(
    'a caller who leaves',
    ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
    left.signal,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await call('a value in the end', async () => 'value');
  return [...seen];
}

/** Runs the scenario on fake timers that move by themselves. */
async function runExperience(
  policy: cockatiel.IPolicy<cockatiel.IDefaultPolicyContext, unknown>,
): Promise<unknown[]> {
  let isOver = false;
  const experience = experienceOf(policy).finally(() => {
    isOver = true;
  });
  for (;;) {
    await settlePromises();
    if (isOver) return experience;
    vi.advanceTimersByTime(1);
  }
}

describe.each(LIBRARIES)('with cockatiel %s', (_version, library) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: START });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each(CASES)('$name does the same when it is observed', async (policy) => {
    const plain = await runExperience(policy.make(library));
    vi.setSystemTime(START);
    const telemetry = memoryTelemetry();
    const observed = createKeelson(telemetry).observe(policy.make(library), { name: 'payments' });
    expect(await runExperience(observed)).toEqual(plain);
    const read = async (metric: string, ...keys: string[]): Promise<Record<string, number>> =>
      Object.fromEntries(
        (await telemetry.points(metric))
          .filter(({ value }) => value !== 0)
          .map(({ attributes, value }) => [keys.map((key) => attributes[key]).join(' '), Number(value)]),
      );
    expect(await read('keelson.calls', 'keelson.outcome', 'keelson.origin')).toEqual(policy.calls);
    expect(await read('keelson.attempts', 'keelson.outcome')).toEqual(policy.attempts);
    expect(await read('keelson.rejections', 'keelson.reason')).toEqual(policy.rejections);
  });

  test('a stand-in is an instance of what it stands for, and its methods keep their identity', () => {
    const keelson = createKeelson();
    const original = retryOf(library);
    const observed = keelson.observe(original, { name: 'payments' });
    expect(observed).toBeInstanceOf(library.RetryPolicy);
    expect(observed.constructor).toBe(library.RetryPolicy);
    expect(observed.onRetry).toBe(observed.onRetry);
    expect(Object.keys(observed)).toEqual(Object.keys(original));
  });

  test('a policy without its reference to the timer is observed as well', async () => {
    const telemetry = memoryTelemetry();
    const observed = createKeelson(telemetry).observe(retryOf(library), { name: 'payments' });
    const unrefed = observed.dangerouslyUnref();
    expect(unrefed).toBeInstanceOf(library.RetryPolicy);
    const fn = failing(1);
    const run = unrefed.execute(fn);
    await vi.advanceTimersByTimeAsync(10);
    expect(await run).toBe('ok');
    expect(valueOf(await telemetry.points('keelson.calls'), { 'keelson.outcome': 'success' })).toBe(1);
    expect(valueOf(await telemetry.points('keelson.attempts'), { 'keelson.outcome': 'failure' })).toBe(1);
  });

  test('a fallback for a value is told from the value itself', async () => {
    const telemetry = memoryTelemetry();
    const isBad = library.handleWhenResult((value) => value === 'bad');
    const observed = createKeelson(telemetry).observe(library.fallback(isBad, 'stand-in'), {
      name: 'payments',
    });
    expect(await observed.execute(async () => 'bad')).toBe('stand-in');
    expect(await observed.execute(async () => 'good')).toBe('good');
    const calls = await telemetry.points('keelson.calls');
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'fallback' })).toBe(1);
    expect(valueOf(calls, { 'keelson.outcome': 'success', 'keelson.origin': 'live' })).toBe(1);
  });
});
