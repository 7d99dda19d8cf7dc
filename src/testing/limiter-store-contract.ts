import assert from 'node:assert/strict';
import type { LimiterStore } from '../policies/rate-limit/index.ts';

/** What the contract needs of a test runner: `test` of Vitest, `it` of Mocha, `test` of `node:test`. */
export type ContractTest = (name: string, body: () => Promise<void>) => unknown;

/** A store under test. Each call of the contract's `open` gives one without any state. */
export interface LimiterStoreSeat {
  readonly store: LimiterStore;
  /** A second store with the same state, as another process has it. */
  readonly other: LimiterStore;
  /** Milliseconds on the clock of the test; only differences mean something. */
  readonly now: () => number;
  /** Lets time pass for the store. */
  readonly pass: (ms: number) => Promise<void>;
}

const AN_HOUR = 3_600_000;
const KEYS = ['', ' ', 'é', 'e\u0301', '𝄞', "'; DROP TABLE limiter; --", '*', '{a}b', 'k'.repeat(1_000)];

/**
 * What every {@link LimiterStore} has to do. Give it `test` of your runner, and a function that opens the store.
 * @param test declares one test
 * @param open gives a store without any state, for each test anew
 */
export function limiterStoreContract(test: ContractTest, open: () => Promise<LimiterStoreSeat>): void {
  const check = (name: string, body: (seat: LimiterStoreSeat) => Promise<void>): void => {
    test(name, async () => {
      const seat = await open();
      try {
        await body(seat);
      } finally {
        await seat.store.close();
        await seat.other.close();
      }
    });
  };

  check('grants exactly the burst of what is asked at once, and counts it down', async ({ store, other }) => {
    const rate = { limit: 10, perMs: AN_HOUR, burst: 10 };
    const asked = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? store : other).take('k', rate));
    const answers = await Promise.all(asked);
    const granted = answers.filter((answer) => answer.granted);
    const left = granted.map(({ remaining }) => remaining).toSorted((a, b) => a - b);
    assert.deepEqual(left, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(granted.every(({ retryAfterMs }) => retryAfterMs === 0));
    assert.ok(answers.every((answer) => answer.granted || answer.remaining === 0));
  });

  check('says when there is a token, and has one then', async ({ store, other, pass }) => {
    const rate = { limit: 5, perMs: 1_000, burst: 1 };
    await other.take('connected', rate);
    assert.deepEqual(await store.take('k', rate), { granted: true, retryAfterMs: 0, remaining: 0 });
    const { granted, retryAfterMs } = await other.take('k', rate);
    assert.equal(granted, false);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 200, `retryAfterMs is ${retryAfterMs}`);
    await pass(retryAfterMs);
    assert.equal((await other.take('k', rate)).granted, true);
  });

  check('never gives more than the burst and the share of the time', async ({ store, other, now, pass }) => {
    const rate = { limit: 200, perMs: 1_000, burst: 5 };
    const startedAt = now();
    let granted = 0;
    while (now() - startedAt < 300) {
      const answers = await Promise.all([store, other, store, other].map((asked) => asked.take('k', rate)));
      granted += answers.filter((answer) => answer.granted).length;
      await pass(4);
    }
    const allowed = rate.burst + Math.ceil(((now() - startedAt) * rate.limit) / rate.perMs);
    assert.ok(granted <= allowed, `${granted} granted, ${allowed} allowed`);
    assert.ok(granted >= allowed / 2, `${granted} granted of ${allowed}`);
  });

  check('keeps a limit for each key, whatever is in it', async ({ store, other }) => {
    const rate = { limit: 1, perMs: AN_HOUR, burst: 1 };
    for (const key of KEYS) {
      assert.equal((await store.take(key, rate)).granted, true, key);
      assert.equal((await other.take(key, rate)).granted, false, key);
    }
  });

  check('works at both ends of the range', async ({ store, other }) => {
    const seldom = { limit: 1, perMs: 2_147_483_647, burst: 1 };
    assert.equal((await store.take('seldom', seldom)).granted, true);
    const { retryAfterMs } = await other.take('seldom', seldom);
    assert.ok(retryAfterMs > 2_147_000_000 && retryAfterMs <= 2_147_483_648);
    const often = { limit: 1_000_000, perMs: 1, burst: 1_000_000 };
    const hoard = { limit: 1, perMs: 2_147_483_647, burst: 73 };
    for (const [key, rate] of Object.entries({ often, hoard })) {
      const { granted, remaining } = await store.take(key, rate);
      assert.deepEqual([granted, remaining], [true, rate.burst - 1], key);
      assert.equal((await other.take(key, rate)).granted, true, key);
    }
  });

  check('fills the bucket again to the burst, and no further', async ({ store, pass }) => {
    const rate = { limit: 100, perMs: 1_000, burst: 3 };
    for (let round = 0; round < 2; round += 1) {
      assert.deepEqual(await store.take('k', rate), { granted: true, retryAfterMs: 0, remaining: 2 });
      await pass(60);
    }
  });

  check('can be closed twice, and answers nothing after it', async ({ store, other }) => {
    const rate = { limit: 1, perMs: AN_HOUR, burst: 1 };
    await store.take('k', rate);
    await store.close();
    await store.close();
    await assert.rejects(store.take('k', rate), { code: 'ERR_KEELSON_STORE_CLOSED' });
    assert.equal((await other.take('k', rate)).granted, false);
  });
}
