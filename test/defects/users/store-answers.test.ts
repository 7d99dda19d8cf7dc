import { describe, expect, test } from 'vitest';
import type { Guard, LimiterStore, RateLimitOptions, Taken } from '../../../src/index.ts';
import { createKeelson } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

interface World {
  readonly guard: Guard;
  readonly clock: FakeClock;
  readonly warnings: string[];
  readonly asked: () => number;
  answer: unknown;
}

const GOOD: Taken = { granted: true, retryAfterMs: 0, remaining: 4 };

/** A guard whose limit is counted in a store that answers whatever the test wants. */
function world(answer: unknown, options: Partial<RateLimitOptions> = {}): World {
  const clock = new FakeClock();
  const warnings: string[] = [];
  let asked = 0;
  const give = async (): Promise<Taken> => {
    asked += 1;
    return (typeof made.answer === 'function' ? made.answer() : made.answer) as Taken;
  };
  const store: LimiterStore = { take: give, takeFromWindow: give, close: async () => {} };
  const guard = createKeelson({ clock, random: () => 0, warn: (message) => warnings.push(message) }).guard(
    'drive',
    {
      rateLimit: { limit: 5, per: '1s', store, ...options },
    },
  );
  const made: World = { guard, clock, warnings, asked: () => asked, answer };
  return made;
}

const refusal = (retryAfterMs: unknown): unknown => ({ granted: false, retryAfterMs, remaining: 0 });
const MILLISECONDS = 'to be a finite number of milliseconds, 0 or more';
const COUNT = 'to be a finite number, 0 or more';

const MALFORMED: readonly (readonly [answer: unknown, message: string])[] = [
  [undefined, 'Expected the answer of `takeFromWindow` to be an object, got undefined.'],
  [null, 'Expected the answer of `takeFromWindow` to be an object, got null.'],
  [true, 'Expected the answer of `takeFromWindow` to be an object, got true (boolean).'],
  [{}, 'Expected `granted` in the answer of `takeFromWindow` to be true or false, got undefined.'],
  [
    { ...GOOD, granted: 'no' },
    "Expected `granted` in the answer of `takeFromWindow` to be true or false, got 'no' (string).",
  ],
  [
    refusal(Number.NaN),
    `Expected \`retryAfterMs\` in the answer of \`takeFromWindow\` ${MILLISECONDS}, got NaN (number).`,
  ],
  [
    refusal(-5),
    `Expected \`retryAfterMs\` in the answer of \`takeFromWindow\` ${MILLISECONDS}, got -5 (number).`,
  ],
  [
    refusal(Number.POSITIVE_INFINITY),
    `Expected \`retryAfterMs\` in the answer of \`takeFromWindow\` ${MILLISECONDS}, got Infinity (number).`,
  ],
  [
    refusal('100'),
    `Expected \`retryAfterMs\` in the answer of \`takeFromWindow\` ${MILLISECONDS}, got '100' (string).`,
  ],
  [
    { granted: true, retryAfterMs: 0 },
    `Expected \`remaining\` in the answer of \`takeFromWindow\` ${COUNT}, got undefined.`,
  ],
  [
    { ...GOOD, remaining: Number.NaN },
    `Expected \`remaining\` in the answer of \`takeFromWindow\` ${COUNT}, got NaN (number).`,
  ],
  [
    { ...GOOD, at: '7' },
    "Expected `at` in the answer of `takeFromWindow` to be left out or a finite number, got '7' (string).",
  ],
];

describe.each(MALFORMED)('the answer %j of a store', (answer, message) => {
  test('is a failure of the store: counted, warned of once, and left alone for a second', async () => {
    const { guard, warnings, asked, clock } = world(answer, { maxWait: '2s' });
    for (let i = 0; i < 3; i += 1) {
      expect((await guard.outcome('get', () => 'ok')).outcome).toBe('success');
      expect(asked()).toBe(1);
    }
    expect(guard.snapshot().rateLimit).toMatchObject({ storeFailures: 1, unlimited: 3, available: 5 });
    await clock.advance(1_000);
    await guard.outcome('get', () => 'ok');
    expect(asked()).toBe(2);
    expect(warnings).toEqual([
      `guard "drive": The store of the rate limit failed: KeelsonError: ${message} ` +
        "Until it answers, calls go on without a limit (`onStoreFailure: 'failOpen'`).",
    ]);
  });

  test('lets nothing through where a store that fails closes the limit', async () => {
    const { guard } = world(answer, { onStoreFailure: 'failClosed' });
    const { outcome, error } = await guard.outcome('get', () => 'ok');
    expect(outcome).toBe('rejected');
    expect(error).toMatchObject({
      code: 'ERR_KEELSON_RATE_LIMIT_STORE',
      retryAfterMs: 1_000,
      cause: {
        code: 'ERR_KEELSON_STORE_ANSWER',
        message,
        hint: 'Let the store answer as `Taken` describes it; `limiterStoreContract` of `keelson/testing` checks a store.',
      },
    });
  });

  test('leaves this process its own share of the limit under `localShare`', async () => {
    const { guard } = world(answer, { onStoreFailure: 'localShare' });
    const ends: string[] = [];
    for (let i = 0; i < 7; i += 1) ends.push((await guard.outcome('get', () => 'ok')).outcome);
    expect(ends).toEqual([...Array(5).fill('success'), 'rejected', 'rejected']);
  });
});

test('the method that a bucket asks is named too', async () => {
  const { guard, warnings } = world(undefined, { algorithm: 'bucket' });
  await guard.outcome('get', () => 'ok');
  expect(warnings).toEqual([
    expect.stringContaining('Expected the answer of `take` to be an object, got undefined.'),
  ]);
});

test('an answer that throws when it is read is a failure of the store', async () => {
  const broken = {
    get granted(): boolean {
      throw new TypeError('no connection');
    },
  };
  const { guard, warnings } = world(broken);
  expect((await guard.outcome('get', () => 'ok')).outcome).toBe('success');
  expect(guard.snapshot().rateLimit?.storeFailures).toBe(1);
  expect(warnings).toEqual([expect.stringContaining('TypeError: no connection')]);
});

test('a call in the line goes on as `onStoreFailure` says when an answer is malformed', async () => {
  const made = world(refusal(100), { maxWait: '2s', onStoreFailure: 'failClosed' });
  const end = made.guard.outcome('get', () => 'ok');
  await made.clock.advance(50);
  made.answer = refusal(Number.NaN);
  await made.clock.advance(100);
  expect((await end).error).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMIT_STORE' });
});

test.each([0, 0.2])(
  'a refusal for %d ms is a good answer that means one millisecond',
  async (retryAfterMs) => {
    const { guard, warnings, asked, clock } = world(refusal(retryAfterMs), { maxWait: '310ms' });
    const end = guard.outcome('get', () => 'ok');
    await clock.advance(310);
    expect((await end).error).toMatchObject({ code: 'ERR_KEELSON_RATE_LIMITED', retryAfterMs: 1 });
    expect(asked()).toBeLessThan(312);
    expect([guard.snapshot().rateLimit?.storeFailures, warnings]).toEqual([0, []]);
  },
);

test('a store with good answers is not warned of, whatever else its answers have in them', async () => {
  const { guard, warnings } = world({ ...GOOD, at: 7, shard: 'eu-1' });
  expect((await guard.outcome('get', () => 'ok')).outcome).toBe('success');
  expect(guard.snapshot().rateLimit).toMatchObject({ storeFailures: 0, available: 4 });
  expect(warnings).toEqual([]);
});
