import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../src/core/errors.ts';
import { createKeelson } from '../../../../src/guard/index.ts';
import type { PresetName } from '../../../../src/index.ts';
import { preset, presets } from '../../../../src/index.ts';
import { FakeClock } from '../../../../src/testing/index.ts';
import { failing } from '../../../support/failing.ts';

describe('the presets', () => {
  test('are given by name, and a name that does not exist is refused with the nearest one', () => {
    expect(preset('github')).toBe(presets.github);
    const inPlainJavaScript = preset as (name: unknown) => unknown;
    expect(() => inPlainJavaScript('githubb')).toThrow(
      'preset: There is no preset `githubb`. Did you mean `github`?',
    );
    expect(() => inPlainJavaScript('warehouse')).toThrow(
      /^preset: There is no preset `warehouse`\. Known: standard-http, database, /,
    );
    expect(() => inPlainJavaScript('toString')).toThrow(ConfigError);
    expect(() => inPlainJavaScript(undefined)).toThrow('There is no preset `undefined`.');
  });

  test('cannot be changed, since all guards share them', () => {
    const { bulkhead } = { ...preset('database') } as { bulkhead: { concurrent: number } };
    expect(() => (bulkhead.concurrent = 1)).toThrow(TypeError);
    expect(Object.isFrozen(presets)).toBe(true);
  });

  test('are a plain object', () => {
    expect(NAMES).toHaveLength(8);
    expect(inspect(presets)).toContain('google-drive');
    expect(JSON.parse(JSON.stringify(presets))).toHaveProperty('github.rateLimit.limit', 30);
    expect((presets as Record<string, unknown>)['then']).toBeUndefined();
  });
});

const NAMES = Object.keys(presets) as PresetName[];

describe.each(NAMES)('the preset %s', (name) => {
  test('makes a guard without a warning, under strict checks too', () => {
    const warnings: string[] = [];
    const keelson = createKeelson({ warn: (message) => warnings.push(message) });
    expect(keelson.guard(name, { ...presets[name], strict: true }).describe()).toContain('retry: ');
    expect(warnings).toEqual([]);
  });
});

test.each<[PresetName, number, number]>([
  ['google-drive', 60, 60_000],
  ['google-photos', 30, 60_000],
  ['github', 30, 60_000],
  ['pexels', 200, 3_600_000],
  ['http', 100, 60_000],
])('%s lets %d calls start in %d ms', async (name, limit, perMs) => {
  const clock = new FakeClock();
  const guard = createKeelson({ clock }).guard(name, presets[name]);
  for (let i = 0; i < limit; i += 1) await guard.run('list', async () => i);
  expect(guard.snapshot().rateLimit).toMatchObject({ limit, available: 0 });
  await clock.advance(perMs);
  expect(guard.snapshot().rateLimit?.available).toBe(limit);
});

test.each<[PresetName, number, number, number]>([
  ['google-drive', 5, 3, 120_000],
  ['google-photos', 5, 3, 120_000],
  ['github', 5, 3, 120_000],
  ['pexels', 3, 2, 60_000],
  ['http', 10, 2, 60_000],
])(
  'the circuit of %s opens at %d failures and closes at %d successes, after %d ms',
  async (name, failures, successes, openMs) => {
    const clock = new FakeClock();
    const guard = createKeelson({ clock }).guard(name, { ...presets[name], retry: { retries: 0 } });
    for (let i = 0; i < failures; i += 1) {
      expect(guard.breaker?.state).toBe('closed');
      await guard.outcome('list', failing(1));
    }
    expect(guard.breaker).toMatchObject({ state: 'open', retryAfterMs: openMs });
    await clock.advance(openMs);
    for (let i = 0; i < successes; i += 1) {
      expect(guard.breaker?.state).not.toBe('closed');
      await guard.run('list', failing(0));
    }
    expect(guard.breaker?.state).toBe('closed');
  },
);

test('HTTP answers that are the fault of the server are retried, the others are given', async () => {
  const clock = new FakeClock();
  const guard = createKeelson({ clock, random: () => 0.5 }).guard('api', presets['standard-http']);
  const statuses = [503, 429, 200];
  const run = guard.outcome('get', async () => ({ status: statuses.shift() }));
  await clock.advance(2_000);
  expect(await run).toMatchObject({ outcome: 'success', value: { status: 200 }, attempts: 3 });
  expect(await guard.outcome('get', async () => ({ status: 404 }))).toMatchObject({
    outcome: 'success',
    attempts: 1,
  });
  expect(await guard.outcome('get', async () => ({ status: 501 }))).toMatchObject({
    outcome: 'success',
    attempts: 1,
  });
  expect(await guard.outcome('get', async () => undefined)).toMatchObject({
    outcome: 'success',
    attempts: 1,
  });
});

test.each([
  ['40001', 3],
  ['08006', 3],
  ['SQLITE_BUSY', 3],
  ['ECONNREFUSED', 3],
  ['23505', 1],
  ['42P01', 1],
])('an error %s of a database gives %d attempts', async (code, attempts) => {
  const clock = new FakeClock();
  const guard = createKeelson({ clock }).guard('orders', presets.database);
  const run = guard.outcome('insert', failing(9, Object.assign(new Error(code), { code })));
  await clock.advance(5_000);
  expect(await run).toMatchObject({ outcome: 'failure', attempts });
});
