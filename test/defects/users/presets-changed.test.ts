import { describe, expect, test } from 'vitest';
import type { ConfigError } from '../../../src/core/errors.ts';
import type { Guard, GuardOptions, PresetName } from '../../../src/index.ts';
import { createKeelson, preset, presets } from '../../../src/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

function setUp(options: GuardOptions): { guard: Guard; clock: FakeClock; warnings: string[] } {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const keelson = createKeelson({ clock, warn: (message) => warnings.push(message) });
  return { guard: keelson.guard('payments', options), clock, warnings };
}

const notFound = (): never => {
  throw Object.assign(new Error('404'), { status: 404 });
};

describe('a policy beside a preset', () => {
  test('keeps the filters of the preset: a 404 is neither retried nor counted', async () => {
    const { guard } = setUp({
      preset: 'standard-http',
      retry: { retries: 2, delay: '40ms' },
      breaker: { failures: 2 },
      bulkhead: { concurrent: 50 },
      timeout: { attempt: '300ms' },
    });
    for (let i = 0; i < 3; i += 1)
      expect(await guard.outcome('get', notFound)).toMatchObject({ attempts: 1 });
    expect(guard.breaker?.state).toBe('closed');
  });

  test('changes what it names, and nothing else', () => {
    const { guard, warnings } = setUp({
      preset: 'standard-http',
      retry: { retries: 1 },
      bulkhead: { concurrent: 7 },
      timeout: { attempt: undefined as never },
    });
    expect(
      guard
        .describe()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual([
      'payments',
      'total timeout: 30s',
      'retry: 1 time, exponential from 500ms to 5s, at most 20 % of the calls, retryIf isHttpFailure',
      'breaker check: opens at 50 % failures in 30s, for 10s, failureIf isHttpFailure',
      'bulkhead: 7 at a time, 100 in the queue',
      'breaker permit: asked for again after the waits',
      'attempt timeout: 5s',
      'call, failedResult isFailedAnswer',
    ]);
    expect(warnings).toEqual([]);
  });

  test.each<[GuardOptions, string]>([
    [
      { preset: 'standard-http', breaker: { failures: 3 } },
      'opens at 3 failures in a row, for 10s, failureIf',
    ],
    [
      { preset: 'github', breaker: { failureRate: 0.5 } },
      'opens at 50 % failures in 100 calls, for 2m, failureIf',
    ],
  ])('has one rule for the circuit: that of the preset goes', (options, rule) => {
    expect(setUp({ ...options, strict: true }).guard.describe()).toContain(rule);
  });

  test('is removed by `false`, which means no policy without a preset too', () => {
    const { guard } = setUp({
      preset: 'github',
      retry: false,
      cache: false,
      rateLimit: false,
      breaker: false,
    });
    expect(guard.describe()).not.toMatch(/retry|cache|rate limit|breaker/);
    expect(guard.breaker).toBeUndefined();
    expect(setUp({ retry: false, fallback: false }).guard.describe()).toBe('payments\n  call');
  });

  test('is as checked as any other', () => {
    const wrong = { preset: 'githubb', retry: { retries: -1 }, bulkhead: true } as unknown as GuardOptions;
    let problems: readonly string[] = [];
    try {
      setUp(wrong);
    } catch (error) {
      ({ problems } = error as ConfigError);
    }
    expect(problems).toEqual([
      "Expected `preset` to be the name of a preset, got 'githubb' (string). Did you mean `github`?",
      'Expected `retry.retries` to be a whole number in [0, 100], got -1 (number). The default is 3.',
      'Expected `bulkhead` to be an object, got true (boolean). Write `{}` for its defaults, or `false` to switch it off.',
    ]);
  });

  test('can be changed while the guard runs', () => {
    const { guard } = setUp({ preset: 'database' });
    guard.update({ preset: 'database', bulkhead: { concurrent: 3 } });
    expect(guard.describe()).toContain('bulkhead: 3 at a time, 200 in the queue');
    expect(guard.describe()).toContain('retryIf isTransientDatabaseError');
  });

  test.each(Object.keys(presets) as PresetName[])('leaves the preset %s as it is', (name) => {
    const given = setUp({ preset: name, timeout: {} });
    expect(given.guard.describe()).toBe(setUp(preset(name)).guard.describe());
    expect(given.warnings).toEqual([]);
  });
});

describe('a preset that is spread', () => {
  test('is warned of for each policy that lost a filter or the budget, with what to write', () => {
    const { warnings } = setUp({
      ...presets['standard-http'],
      retry: { retries: 2 },
      breaker: { failures: 5 },
      bulkhead: { concurrent: 50 },
    });
    const remedy =
      "Write `preset: 'standard-http'` in place of the spread: policies beside it are merged into it.";
    expect(warnings).toEqual([
      `guard "payments": \`retry\` takes the place of that of the preset \`standard-http\`, without its \`retryIf\` and \`budget\`. ${remedy}`,
      `guard "payments": \`breaker\` takes the place of that of the preset \`standard-http\`, without its \`failureIf\`. ${remedy}`,
    ]);
  });

  test.each<[string, GuardOptions]>([
    ['nothing was lost', { ...presets.github, bulkhead: { concurrent: 3 } }],
    ['the policy was spread too', { ...presets.github, retry: { ...presets.github.retry, retries: 2 } }],
    ['it has filters of its own', { ...presets.github, breaker: { failures: 3, failureIf: () => true } }],
    ['a policy was taken out', { ...presets.github, retry: false }],
  ])('is not warned of if %s', (_, options) => {
    expect(setUp(options).warnings).toEqual([]);
  });
});

test('a description names each filter, or says that there is one', () => {
  const { guard } = setUp({
    retry: { retryIf: () => true },
    breaker: { failureIf: Boolean },
    fallback: { value: 1, when: () => true },
    cache: { ttl: '1m', negativeTtl: '1s', negativeIf: () => true },
    failedResult: () => false,
  });
  const description = guard.describe();
  for (const filter of [
    'retryIf (a filter)',
    'failureIf Boolean',
    'when (a filter)',
    'negativeIf (a filter)',
  ])
    expect(description).toContain(`, ${filter}`);
  expect(description).toMatch(/call, failedResult \(a filter\)$/);
});
