import assert from 'node:assert/strict';
import type { LimiterStore, RateWindow, Taken } from '../policies/rate-limit/index.ts';

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

/** What the store under test can do. */
export interface LimiterStoreContractOptions {
  /** `['bucket']` for a store without `takeFromWindow`. @defaultValue both */
  readonly algorithms?: readonly ('window' | 'bucket')[];
}

/**
 * What every {@link LimiterStore} has to do. Give it `test` of your runner, and a function that opens the store.
 * @param test declares one test
 * @param open gives a store without any state, for each test anew
 * @param options what the store can do
 */
export function limiterStoreContract(
  test: ContractTest,
  open: () => Promise<LimiterStoreSeat>,
  { algorithms = ['window', 'bucket'] }: LimiterStoreContractOptions = {},
): void {
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

  checkClosing(check);
  if (algorithms.includes('bucket')) checkBucket(check);
  if (algorithms.includes('window')) checkWindow(check);
}

type Check = (name: string, body: (seat: LimiterStoreSeat) => Promise<void>) => void;

function checkBucket(check: Check): void {
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
}

function checkClosing(check: Check): void {
  check('can be closed twice, and answers nothing after it', async ({ store, other }) => {
    const rate = { limit: 1, perMs: AN_HOUR, burst: 1 };
    await store.take('k', rate);
    await store.close();
    await store.close();
    await assert.rejects(store.take('k', rate), { code: 'ERR_KEELSON_STORE_CLOSED' });
    assert.equal((await other.take('k', rate)).granted, false);
  });
}

function checkWindow(check: Check): void {
  check('grants exactly the limit of a window, and counts it down', async ({ store, other }) => {
    const window = { limit: 10, perMs: AN_HOUR };
    const asked = Array.from({ length: 50 }, (_, i) => take(i % 2 === 0 ? store : other, 'k', window));
    const answers = await Promise.all(asked);
    const granted = answers.filter((answer) => answer.granted);
    const left = granted.map(({ remaining }) => remaining).toSorted((a, b) => a - b);
    assert.deepEqual(left, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.ok(granted.every(({ retryAfterMs }) => retryAfterMs === 0));
    const refused = answers.filter((answer) => !answer.granted);
    assert.ok(refused.every(({ remaining, retryAfterMs }) => remaining === 0 && retryAfterMs > 0));
  });

  check('grants no more than the limit in any period, and all that fits', async (seat) => {
    const { store, other, now, pass } = seat;
    const window = { limit: 8, perMs: 50 };
    const answered: number[] = [];
    const asked: number[] = [];
    const until = now() + 400;
    for (let turn = 0; now() < until; turn += 1) {
      // Some at once, then none for a while: at no place of a period they may meet with others.
      const count = [1, 7, 0, 3, 12][turn % 5] ?? 0;
      const before = now();
      const answers = await Promise.all(
        Array.from({ length: count }, (_, i) => take(i % 2 === 0 ? store : other, 'k', window)),
      );
      const after = now();
      for (const { granted } of answers) {
        if (!granted) continue;
        asked.push(before);
        answered.push(after);
      }
      await pass([1, 13, 4, 29, 2][turn % 5] ?? 1);
    }
    for (const [first, at] of asked.entries()) {
      // Whatever was asked at `at` or later, and answered before a period was over, started in that period.
      const within = answered.slice(first).filter((answer) => answer - at < window.perMs);
      assert.ok(within.length <= window.limit, `${within.length} granted within ${window.perMs} ms`);
    }
    assert.ok(asked.length >= 3 * window.limit, `${asked.length} granted in all`);
  });

  check('says when there is a place in a window, and has one then', async ({ store, other, pass }) => {
    const window = { limit: 2, perMs: 200 };
    await take(other, 'connected', window);
    await take(store, 'k', window);
    await take(store, 'k', window);
    const { granted, retryAfterMs } = await take(other, 'k', window);
    assert.equal(granted, false);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 200, `retryAfterMs is ${retryAfterMs}`);
    await pass(retryAfterMs);
    assert.equal((await take(other, 'k', window)).granted, true);
  });

  check('gives the place in a window back that was not used, once', async ({ store, other }) => {
    const window = { limit: 2, perMs: AN_HOUR };
    const { at } = await take(store, 'k', window);
    assert.equal((await take(other, 'k', window)).granted, true);
    assert.equal((await take(store, 'k', window)).granted, false);
    if (!store.giveBack) return;
    assert.equal(typeof at, 'number', 'A store that takes tokens back says `at` when it granted them.');
    await store.giveBack('k', window, at ?? 0);
    const again = await take(other, 'k', window);
    assert.deepEqual([again.granted, again.remaining], [true, 0]);
    assert.equal((await take(store, 'k', window)).granted, false);
    await store.giveBack('nobody', window, at ?? 0);
  });

  check('keeps a window for each key, whatever is in it, apart from its bucket', async ({ store, other }) => {
    const window = { limit: 1, perMs: AN_HOUR };
    for (const key of KEYS) {
      assert.equal((await take(store, key, window)).granted, true, key);
      assert.equal((await take(other, key, window)).granted, false, key);
      assert.equal((await store.take(key, { ...window, burst: 1 })).granted, true, key);
    }
  });

  check('counts windows at both ends of the range', async ({ store, other }) => {
    const seldom = { limit: 1, perMs: 2_147_483_647 };
    assert.equal((await take(store, 'seldom', seldom)).granted, true);
    const { retryAfterMs } = await take(other, 'seldom', seldom);
    assert.ok(retryAfterMs > 2_147_000_000 && retryAfterMs <= 2_147_483_648);
    const { granted, remaining } = await take(store, 'often', { limit: 10_000, perMs: 1 });
    assert.deepEqual([granted, remaining], [true, 9_999]);
  });

  check('answers no window after it is closed', async ({ store }) => {
    const window = { limit: 1, perMs: AN_HOUR };
    await take(store, 'k', window);
    await store.close();
    await assert.rejects(take(store, 'k', window), { code: 'ERR_KEELSON_STORE_CLOSED' });
  });
}

async function take(store: LimiterStore, key: string, window: RateWindow): Promise<Taken> {
  const taken = await store.takeFromWindow?.(key, window);
  const remedy = "Add it, or give `{ algorithms: ['bucket'] }` to the contract.";
  assert.ok(taken, `The store has no \`takeFromWindow\`, which \`algorithm: 'window'\` needs. ${remedy}`);
  return taken;
}
