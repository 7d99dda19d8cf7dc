import { expect, test } from 'vitest';
import { WarnOnce } from '../../../src/core/warn-once.ts';

test('each trouble is warned of once, and again only if it comes back after it was over', () => {
  const warnings: string[] = [];
  const once = new WarnOnce((message) => warnings.push(message));
  once.warn('disk', () => 'The disk is full.');
  once.warn('disk', () => 'The disk is still full.');
  once.warn('store', () => 'The store is away.');
  expect(warnings).toEqual(['The disk is full.', 'The store is away.']);
  once.over('disk');
  once.over('never seen');
  once.warn('store', () => 'The store is still away.');
  once.warn('disk', () => 'The disk is full again.');
  expect(warnings.slice(2)).toEqual(['The disk is full again.']);
});

test('a message is made only if it is used', () => {
  let made = 0;
  const once = new WarnOnce(() => {});
  for (let i = 0; i < 3; i += 1) {
    once.warn('store', () => {
      made += 1;
      return 'The store is away.';
    });
  }
  expect(made).toBe(1);
});
