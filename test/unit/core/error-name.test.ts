import { describe, expect, test } from 'vitest';
import { errorName } from '../../../src/core/error-name.ts';
import { unreadableValues } from '../../support/unreadable-values.ts';

describe('the name of what was thrown', () => {
  test('is the name of an error, also of one from another realm', () => {
    expect(errorName(new TypeError('x'))).toBe('TypeError');
    expect(errorName({ name: 'AxiosError', message: 'x' })).toBe('AxiosError');
  });

  test('is the type of every other value, and of an error whose name is none', () => {
    expect(errorName('password=hunter2')).toBe('string');
    expect(errorName(undefined)).toBe('undefined');
    expect(errorName({ name: 'token=hunter2 and more' })).toBe('object');
    expect(errorName({ name: '' })).toBe('object');
  });

  test.each(unreadableValues())('can be read of %s', (_name, value) => {
    expect(errorName(value)).toMatch(/^\w+$/);
  });
});
