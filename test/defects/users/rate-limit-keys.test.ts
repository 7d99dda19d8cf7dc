import { expect, test } from 'vitest';
import type { ConfigError } from '../../../src/core/errors.ts';
import { createKeelson, rateLimit } from '../../../src/index.ts';
import type { RateLimitOptions } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

const OPTIONS = { limit: 1, per: '1h', keys: 500 } as RateLimitOptions;
const REMEDY =
  'Use `guard.for(key)`: each key then has a limit of its own. `keys: { max }` of the guard says how many keys it remembers.';

function problemsOf(make: () => unknown): readonly string[] | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

test('a guard refuses `rateLimit.keys`, which did nothing, and names what gives each key a limit', () => {
  const problems = problemsOf(() => createKeelson().guard('drive', { rateLimit: OPTIONS }));
  expect(problems).toEqual([`Unknown option \`rateLimit.keys\`. ${REMEDY}`]);
});

test('a rate limit of its own refuses `keys` in the same words', () => {
  expect(problemsOf(() => rateLimit(OPTIONS))).toEqual([`Unknown option \`keys\`. ${REMEDY}`]);
});

test('what the remedy names limits each key for itself, and those beyond `keys.max` together while all are used up', async () => {
  const keelson = createKeelson({ clock: new FakeClock() });
  const guard = keelson.guard('drive', { rateLimit: { limit: 1, per: '1h' }, keys: { max: 2 } });
  const answers: string[] = [];
  for (const key of ['a', 'b', 'a', 'b', 'c', 'd']) {
    const ran = guard.for(key).run('read', () => 'ran');
    answers.push(`${key} ${await ran.catch((error: { code: string }) => error.code)}`);
  }
  const limited = 'ERR_KEELSON_RATE_LIMITED';
  expect(answers).toEqual(['a ran', 'b ran', `a ${limited}`, `b ${limited}`, 'c ran', `d ${limited}`]);
});
