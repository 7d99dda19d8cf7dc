import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { errorLine } from '../../../src/core/error-line.ts';
import type { Guard, GuardOptions } from '../../../src/guard/index.ts';
import { createKeelson } from '../../../src/guard/index.ts';
import type { StoreFailure } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { no, ScriptedStore, YES } from '../policies/rate-limit/shared-limit-seat.ts';

function setUp(options: GuardOptions): { guard: Guard; warnings: string[]; clock: FakeClock } {
  const warnings: string[] = [];
  const clock = new FakeClock();
  const keelson = createKeelson({ clock, warn: (message) => warnings.push(message) });
  return { clock, warnings, guard: keelson.guard('drive', options) };
}

const work = async (): Promise<string> => 'done';
const AWAY = (): Promise<never> => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:6379'));

describe('a store of the rate limit that fails', () => {
  test.each<[StoreFailure, string]>([
    ['failOpen', 'Until it answers, calls go on without a limit'],
    ['failClosed', 'Until it answers, calls are refused'],
    ['localShare', 'Until it answers, this process keeps its own part of the limit'],
  ])('is told with its cause and what happens now: %s', async (onStoreFailure, consequence) => {
    const store = new ScriptedStore();
    store.answer = AWAY;
    const { guard, warnings } = setUp({
      rateLimit: { algorithm: 'bucket', limit: 9, per: '1s', store, onStoreFailure },
    });
    await guard.outcome('list', work);
    expect(warnings).toEqual([
      'guard "drive": The store of the rate limit failed: Error: connect ECONNREFUSED 127.0.0.1:6379. ' +
        `${consequence} (\`onStoreFailure: '${onStoreFailure}'\`).`,
    ]);
  });

  test('is told once for the guard and its keys, and again only after it has answered', async () => {
    const store = new ScriptedStore();
    const { guard, warnings, clock } = setUp({
      rateLimit: { algorithm: 'bucket', limit: 9, per: '1s', store },
    });
    const calls = async (): Promise<void> => {
      for (const key of ['a', 'b', 'a']) {
        await guard.for(key).outcome('list', work);
        await guard.outcome('list', work);
        await clock.advance(1_000);
      }
    };
    store.answer = AWAY;
    await calls();
    expect(warnings).toHaveLength(1);
    store.answer = () => Promise.resolve(YES);
    await calls();
    expect(warnings).toHaveLength(1);
    store.answer = AWAY;
    await calls();
    expect(warnings).toHaveLength(2);
  });

  test('has not come back by one answer among failures', async () => {
    const store = new ScriptedStore();
    const { guard, warnings } = setUp({ rateLimit: { algorithm: 'bucket', limit: 9, per: '1s', store } });
    for (let i = 0; i < 10; i += 1) {
      store.answer = i % 2 === 0 ? AWAY : () => Promise.resolve(YES);
      await guard.for(`key ${i}`).outcome('list', work);
    }
    expect(warnings).toHaveLength(1);
  });

  test('is not told where it answers, also where the answer is no', async () => {
    const store = new ScriptedStore();
    store.answer = () => Promise.resolve(no(50));
    const { guard, warnings } = setUp({ rateLimit: { algorithm: 'bucket', limit: 9, per: '1s', store } });
    await guard.outcome('list', work);
    expect(warnings).toEqual([]);
  });

  test('is none with the example of the README in an empty folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-limit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const store = sqliteStore({ file: join(folder, '.keelson', 'limiter.db') });
    const warnings: string[] = [];
    const keelson = createKeelson({ warn: (message) => warnings.push(message) });
    const guard = keelson.guard('drive', {
      rateLimit: { algorithm: 'bucket', limit: 2, per: '1h', store, storeTimeout: '10s' },
    });
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i += 1) outcomes.push((await guard.outcome('list', work)).outcome);
    await store.close();
    expect(outcomes).toEqual(['success', 'success', 'rejected', 'rejected']);
    expect(warnings).toEqual([]);
  });
});

test.each([
  [{ onStoreFailure: 'localShare' }, 'rateLimit.onStoreFailure does nothing without rateLimit.store'],
  [{ processes: 4 }, 'rateLimit.processes does nothing without rateLimit.store'],
] as const)('a limit without a store that says %j is warned of', (option, warning) => {
  const { warnings } = setUp({ rateLimit: { limit: 9, per: '1s', ...option } });
  expect(warnings).toEqual([expect.stringContaining(warning)]);
});

describe('a second tier of the cache that fails', () => {
  const answers = {
    get: (): Promise<undefined> => Promise.resolve(undefined),
    set: (): Promise<void> => Promise.resolve(),
    delete: (): Promise<void> => Promise.resolve(),
  };

  test('is told once, and again only after it has answered', async () => {
    let isAway = true;
    const secondTier = { ...answers, get: () => (isAway ? AWAY() : answers.get()) };
    const { guard, warnings, clock } = setUp({ cache: { ttl: '1s', secondTier } });
    const calls = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        await guard.run('read', work, { cacheKey: `${i}` });
        await clock.advance(1_000);
      }
    };
    await calls();
    expect(warnings).toEqual([
      'guard "drive": The second tier of the cache failed: Error: connect ECONNREFUSED 127.0.0.1:6379. Until it answers, calls go on without it.',
    ]);
    isAway = false;
    await calls();
    isAway = true;
    await calls();
    expect(warnings).toHaveLength(2);
  });

  test('to take a value is told once', async () => {
    const { guard, warnings } = setUp({ cache: { ttl: '1m', secondTier: answers } });
    for (const cacheKey of ['a', 'b']) await guard.run('read', async () => 1n, { cacheKey });
    await settlePromises();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "drive": The second tier of the cache and this process cannot share a value: TypeError: `value` is a bigint, .*\. Calls load it\.$/,
      ),
    ]);
  });
});

test.each<[unknown, string]>([
  [new Error('no'), 'Error: no.'],
  [new Error('Really?'), 'Error: Really?'],
  [new Error('two\n lines\u001b[31m'), 'Error: two lines [31m.'],
  [new Error('connect redis://me:secret@db:6379 failed'), 'Error: connect redis://***@db:6379 failed.'],
  [
    new Error('cannot connect with host=db password=hunter2'),
    'Error: cannot connect with host=db password=[redacted].',
  ],
  [new AggregateError([new Error('ECONNREFUSED ::1')], ''), 'Error: ECONNREFUSED ::1.'],
  ['a text', 'a text.'],
  [Object.create(null), 'an error that cannot be read.'],
  [new Error('x'.repeat(400)), `Error: ${'x'.repeat(293)}…`],
])('the line of an error is one line without passwords: %#', (error, line) => {
  expect(errorLine(error)).toBe(line);
});
