import { afterEach, describe, expect, test, vi } from 'vitest';
import { forgetNotSent, isMarkedNotSent, notSent } from '../../../../src/policies/retry/not-sent.ts';
import type * as NotSent from '../../../../src/policies/retry/not-sent.ts';

/** The module once more, as a second copy of the package has it. */
async function anotherCopy(): Promise<typeof NotSent> {
  vi.resetModules();
  return import('../../../../src/policies/retry/not-sent.ts');
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('notSent', () => {
  test.each([
    ['an error', new Error('no')],
    ['a frozen error', Object.freeze(new Error('no'))],
    ['an object that is no error', { status: 503 }],
    ['a function', () => {}],
  ])('marks %s, changes nothing in it, and gives it back', (_, error) => {
    const keys = Reflect.ownKeys(error);
    expect(isMarkedNotSent(error)).toBe(false);
    expect(notSent(error)).toBe(error);
    expect(isMarkedNotSent(error)).toBe(true);
    expect(Reflect.ownKeys(error)).toEqual(keys);
  });

  test('marks that error alone, and none around it', () => {
    const error = notSent(new Error('no'));
    expect(isMarkedNotSent(new Error('wrapped', { cause: error }))).toBe(false);
    expect(isMarkedNotSent(new AggregateError([error]))).toBe(false);
  });

  test('marks for every copy of the package', async () => {
    const other = await anotherCopy();
    expect(other.notSent).not.toBe(notSent);
    const ours = notSent(new Error('ours'));
    const theirs = other.notSent(new Error('theirs'));
    expect([other.isMarkedNotSent(ours), isMarkedNotSent(theirs)]).toEqual([true, true]);
    other.forgetNotSent(ours);
    expect(isMarkedNotSent(ours)).toBe(false);
  });

  test.each([['text'], [0], [null], [undefined], [Symbol('no')]])(
    'gives %s back as it is, since it cannot be marked, and warns once',
    async (value) => {
      const copy = await anotherCopy();
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      expect(copy.notSent(value)).toBe(value);
      expect(copy.notSent(value)).toBe(value);
      expect([copy.isMarkedNotSent(value), warn.mock.calls.length]).toEqual([false, 1]);
      const type = value === null ? 'null' : typeof value;
      expect(warn.mock.calls[0]?.[0]).toBe(
        `notSent() was given a value of type ${type}, which cannot be marked. The call is not retried. Throw an Error: \`throw notSent(new Error(...))\`.`,
      );
    },
  );
});

test('a mark that is taken off is gone, and taking it off what has none does nothing', () => {
  const error = notSent(new Error('no'));
  for (const value of [error, error, new Error('another'), 'text', undefined]) forgetNotSent(value);
  expect(isMarkedNotSent(error)).toBe(false);
});
