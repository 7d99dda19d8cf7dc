import { readFileSync } from 'node:fs';
import * as cockatiel from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { RejectedError, TimeoutError } from '../../../../src/core/errors.ts';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { FallbackContext, FallbackOptions } from '../../../../src/policies/fallback/index.ts';
import { fallback, fallsBack, standIn } from '../../../../src/policies/fallback/index.ts';
import { resolveFallback } from '../../../../src/policies/fallback/options.ts';
import { failing } from '../../../support/failing.ts';
import { optionTableProblems } from '../../../tidy/docs.ts';

const DOWN = new Error('down');
const CONTEXT: FallbackContext = { outcome: 'failure', attempts: 3, requestId: 'req_1', operation: 'list' };

function resolve(options: object): ReturnType<typeof resolveFallback> {
  const check = new OptionChecker('fallback');
  const resolved = resolveFallback(options as FallbackOptions, check);
  check.done();
  return resolved;
}

describe('a fallback', () => {
  test.each([[[]], [undefined], [null], [0], ['']])('gives the value %j', async (value) => {
    expect(await standIn(resolve({ value }), DOWN, CONTEXT)).toBe(value);
  });

  test('gives what its function makes of the error and the context', async () => {
    const made = resolve({
      with: async (error: Error, { outcome, attempts }: FallbackContext) =>
        `${error.message} ${outcome} ${attempts}`,
    });
    expect(await standIn(made, DOWN, CONTEXT)).toBe('down failure 3');
  });

  test.each([
    ['failure', true],
    ['timeout', true],
    ['rejected', true],
    ['cancelled', false],
    ['success', false],
  ] as const)('for a call that ended as %s: %s', (outcome, expected) => {
    expect(fallsBack(resolve({ value: 1 }), DOWN, outcome)).toBe(expected);
    expect(fallsBack(resolve({ value: 1, when: () => true }), DOWN, outcome)).toBe(expected);
  });

  test('is only for the errors that `when` picks; a filter that throws picks none', () => {
    const when = (error: unknown): boolean => error === DOWN;
    expect(fallsBack(resolve({ value: 1, when }), DOWN, 'failure')).toBe(true);
    expect(fallsBack(resolve({ value: 1, when }), new Error('other'), 'failure')).toBe(false);
    const throwing = (): never => {
      throw new Error('a filter that throws');
    };
    expect(fallsBack(resolve({ value: 1, when: throwing }), DOWN, 'failure')).toBe(false);
  });
});

describe('a fallback function that throws', () => {
  test.each([
    [
      'at once',
      (): never => {
        throw new Error('worse');
      },
    ],
    ['later', () => Promise.reject(new Error('worse'))],
  ])('%s: neither error is lost, and the cause is that of the call', async (_when, make) => {
    await expect(standIn(resolve({ with: make }), DOWN, CONTEXT)).rejects.toMatchObject({
      name: 'FallbackError',
      code: 'ERR_KEELSON_FALLBACK',
      message: 'The call failed, and its fallback function threw.',
      hint: expect.stringMatching(/^See `cause` for the call and `fallbackError` for the fallback/) as string,
      cause: DOWN,
      fallbackError: new Error('worse'),
    });
  });

  test('the error of the call on: it passes as it is', async () => {
    const rethrow = (error: unknown): never => {
      throw error;
    };
    await expect(standIn(resolve({ with: rethrow }), DOWN, CONTEXT)).rejects.toBe(DOWN);
  });
});

describe('the options of a fallback', () => {
  test.each<[RegExp, object]>([
    [/Expected `value` or `with` to be given, got undefined\. Say what callers get: `value: \[\]`\.$/, {}],
    [
      /Expected `with` to be a function, got 1 \(number\)\. Give a function that takes the error/,
      { with: 1 },
    ],
    [
      /Expected `when` to be a function.*Give a function that takes the error and says whether/,
      { value: 1, when: 'always' },
    ],
    [/Expected `value` to be left out beside `with`.*The function alone makes/, { value: 1, with: () => 2 }],
    [/Unknown option `vlaue`\. Did you mean `value`\?/, { vlaue: 1 }],
  ])('are refused: %s', (expected, options) => {
    expect(() => resolve(options)).toThrow(expected);
  });
});

test('the README has every option', () => {
  const page = readFileSync('src/policies/fallback/README.md', 'utf8');
  expect(optionTableProblems(page, { value: undefined, with: undefined, when: undefined })).toEqual([]);
});

describe('our fallback as a policy', () => {
  test("works in cockatiel's wrap, around a retry", async () => {
    const policy = cockatiel.wrap(
      fallback({ value: 'instead' }),
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ConstantBackoff(0) }),
    );
    const fn = failing(9);
    await expect(policy.execute(fn)).resolves.toBe('instead');
    expect(fn.executions).toBe(3);
    await expect(policy.execute(failing(0))).resolves.toBe('ok');
  });

  test('counts its uses, and tells of successes and failures', async () => {
    const policy = fallback({ with: (error) => `not ${String(error)}`, when: (error) => error !== DOWN });
    const heard: string[] = [];
    policy.onSuccess(() => heard.push('success'));
    policy.onFailure(({ handled }) => heard.push(`failure ${handled}`));
    await expect(policy.execute(failing(1, 'good'))).resolves.toBe('not good');
    await expect(policy.execute(failing(1, DOWN))).rejects.toBe(DOWN);
    expect(policy.used).toBe(1);
    expect(heard).toEqual(['success', 'failure false']);
  });

  test('gives its function the error, and waits for the value', async () => {
    const given: unknown[][] = [];
    const make = async (...args: unknown[]): Promise<string> => {
      given.push(args);
      return 'instead';
    };
    await expect(fallback({ with: make }).execute(failing(1, DOWN))).resolves.toBe('instead');
    expect(given).toEqual([[DOWN, undefined]]);
  });

  test.each([
    new TimeoutError('attempt', 10),
    new RejectedError('ERR_KEELSON_BREAKER_OPEN', 'open', 'The circuit is open.'),
  ])('stands in for %s', async (error) => {
    await expect(fallback({ value: 'instead' }).execute(failing(1, error))).resolves.toBe('instead');
  });

  test('does not stand in for an execution that its caller aborted', async () => {
    const policy = fallback({ value: 'instead' });
    const controller = new AbortController();
    const run = policy.execute(async ({ signal }) => {
      controller.abort('left');
      signal.throwIfAborted();
    }, controller.signal);
    await expect(run).rejects.toBe('left');
    const fn = failing(0);
    await expect(policy.execute(fn, controller.signal)).rejects.toBe('left');
    expect([fn.executions, policy.used]).toEqual([0, 0]);
  });

  test('refuses options that cannot be used', () => {
    // @ts-expect-error a value or a function is needed
    expect(() => fallback({})).toThrow(/^fallback: Expected `value` or `with` to be given/);
  });
});
