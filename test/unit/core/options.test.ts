import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/core/errors.ts';
import { OptionChecker } from '../../../src/core/options.ts';

/** The problems that `body` finds. */
function problems(body: (check: OptionChecker) => void): readonly string[] {
  const check = new OptionChecker('guard "payments"');
  body(check);
  try {
    check.done();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a checker of options', () => {
  test('throws nothing where it found nothing', () => {
    expect(problems(() => {})).toEqual([]);
  });

  test('tells everything at once, with the path of each', () => {
    const check = new OptionChecker('guard "payments"');
    check.problem('a', 'to be x', 1, 'Use x.');
    check.under('retry').under('budget').problem('ratio', 'to be y', 'z', 'Use y.');
    expect(() => check.done()).toThrow(
      'guard "payments": Expected `a` to be x, got 1 (number). Use x. ' +
        "Expected `retry.budget.ratio` to be y, got 'z' (string). Use y.",
    );
  });

  test.each([
    ['text', "'text' (string)"],
    [1.5, '1.5 (number)'],
    [true, 'true (boolean)'],
    [null, 'null'],
    [undefined, 'undefined'],
    [[1], 'an array'],
    [{}, 'a value of type object'],
    [(): void => {}, 'a value of type function'],
  ])('shows %j as %s', (got, shown) => {
    expect(problems((check) => check.problem('a', 'to be b', got, 'Do.'))).toEqual([
      `Expected \`a\` to be b, got ${shown}. Do.`,
    ]);
  });
});

describe('keys', () => {
  const known = ['retries', 'delay', 'maxDelay', 'factor'];

  test.each([
    ['retrys', 'Did you mean `retries`?'],
    ['Retries', 'Did you mean `retries`?'],
    ['maxdelay', 'Did you mean `maxDelay`?'],
    ['dealy', 'Did you mean `delay`?'],
    ['delays', 'Did you mean `delay`?'],
    ['elay', 'Did you mean `delay`?'],
    ['fctr', 'Did you mean `factor`?'],
    ['fct', 'Known: retries, delay, maxDelay, factor.'],
    ['jitter', 'Known: retries, delay, maxDelay, factor.'],
  ])('that do not exist are told with the nearest that does: %s', (key, remedy) => {
    const found = problems((check) => check.under('retry').keys({ [key]: 1 }, known));
    expect(found).toEqual([`Unknown option \`retry.${key}\`. ${remedy}`]);
  });

  test('prefer the nearest of several', () => {
    expect(problems((check) => check.keys({ abcd: 1 }, ['abxy', 'abcx', 'abxx']))[0]).toMatch(/`abcx`\?$/);
  });

  test('that exist are fine, and so are no options at all', () => {
    expect(problems((check) => check.keys({ retries: 1, delay: undefined }, known))).toEqual([]);
    expect(problems((check) => check.keys(undefined, known))).toEqual([]);
  });

  test.each([
    [5, '5 (number)'],
    [null, 'null'],
    [['retries'], 'an array'],
  ])('of %j are told as what they are in', (options, shown) => {
    const keys = (check: OptionChecker): void => check.keys(options as never, ['x', 'y']);
    expect(problems(keys)).toEqual([`Expected the options to be an object, got ${shown}. Known keys: x, y.`]);
    expect(problems((check) => keys(check.under('retry')))).toEqual([
      `Expected \`retry\` to be an object, got ${shown}. Known keys: x, y.`,
    ]);
  });
});

describe('a number', () => {
  test.each([
    [{ min: 1 }, 0.99, 'to be a number of at least 1'],
    [{ min: 0, exclusiveMin: true }, 0, 'to be a number above 0'],
    [{ min: 0, max: 1 }, 1.01, 'to be a number in [0, 1]'],
    [{ min: 0, max: 1, exclusiveMin: true }, 0, 'to be a number in (0, 1]'],
    [{ min: 1, integer: true }, 1.5, 'to be a whole number of at least 1'],
    [{ min: 1, max: 9, integer: true }, 10, 'to be a whole number in [1, 9]'],
    [{ min: 1 }, Number.POSITIVE_INFINITY, 'to be a number of at least 1'],
    [{ min: 1 }, Number.NaN, 'to be a number of at least 1'],
    [{ min: 1 }, '5', 'to be a number of at least 1'],
  ])('in %j is not %j', (range, value, expected) => {
    let taken: unknown;
    const found = problems((check) => {
      taken = check.number('n', value, range, 7);
    });
    expect(found[0]).toMatch(/ The default is 7\.$/);
    expect(found[0]?.startsWith(`Expected \`n\` ${expected}, got `)).toBe(true);
    expect(taken).toBe(7);
  });

  test.each([
    [{ min: 1 }, 1],
    [{ min: 0, exclusiveMin: true }, 0.001],
    [{ min: 0, max: 1 }, 1],
    [{ min: 1, integer: true }, 1e9],
  ])('in %j is %d', (range, value) => {
    const check = new OptionChecker('x');
    expect([check.number('n', value, range, 7), check.number('n', undefined, range, 7)]).toEqual([value, 7]);
    expect(() => check.done()).not.toThrow();
  });
});

describe('a duration', () => {
  test.each([
    ['1s', 0, 1_000],
    [1, 1, 1],
    [0, 0, 0],
    [2_147_483_647, 1, 2_147_483_647],
    [undefined, 1, 7],
  ])('%j of at least %i ms is taken as %i ms', (value, minMs, ms) => {
    const check = new OptionChecker('x');
    expect(check.duration('d', value, minMs, 7)).toBe(ms);
    expect(() => check.done()).not.toThrow();
  });

  test.each([
    [0.5, 1, 'to be a duration of at least 1 ms and at most 24.8 days, got 0.5 (number)'],
    [2_147_483_648, 0, 'to be a duration and at most 24.8 days, got 2147483648 (number)'],
    ['soon', 0, "to be a duration and at most 24.8 days, got 'soon' (string)"],
  ])('%j of at least %i ms is refused', (value, minMs, expected) => {
    const found = problems((check) => check.duration('d', value, minMs, undefined));
    expect(found).toEqual([
      `Expected \`d\` ${expected}. Use milliseconds or a number with its unit, such as '250ms', '1.5s', '2m'.`,
    ]);
  });
});

test('a boolean is true or false, and a function is one', () => {
  const check = new OptionChecker('x');
  expect([check.boolean('b', false, true), check.boolean('b', undefined, true)]).toEqual([false, true]);
  check.function('f', undefined, 'Give one.');
  check.function('f', () => {}, 'Give one.');
  expect(() => check.done()).not.toThrow();
  expect(
    problems((wrong) => {
      wrong.boolean('b', 1, true);
      wrong.function('f', null, 'Give one.');
    }),
  ).toEqual([
    'Expected `b` to be true or false, got 1 (number). The default is true.',
    'Expected `f` to be a function, got null. Give one.',
  ]);
});
