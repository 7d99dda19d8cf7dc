import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputs, staleOutputs } from '../../../dashboards/src/outputs.ts';
import { EXECUTED, FAILED, NOT_CLOSED } from '../../../dashboards/src/queries.ts';
import { BREAKER_STATES } from '../../../src/core/events.ts';
import { OUTCOMES } from '../../../src/core/outcome.ts';

describe('the generated files', () => {
  test('are what the sources make; run `npm run dashboards` otherwise', () => {
    expect(staleOutputs()).toEqual([]);
  });

  test('the check reports a planted change and a file that is missing', () => {
    const read = (path: string): string | undefined => {
      if (path.endsWith('.json')) return undefined;
      const text = readFileSync(path, 'utf8');
      return path.endsWith('.test.yaml') ? text : text.replace('1m', '2m');
    };
    expect(staleOutputs(read).map((path) => basename(path))).toEqual(['keelson-guards.json', 'keelson.yaml']);
  });

  test('come out the same each time', () => {
    expect(outputs()).toEqual(outputs());
  });
});

describe('the closed sets in queries', () => {
  test('are values that the product knows', () => {
    expect(BREAKER_STATES).toEqual(expect.arrayContaining(NOT_CLOSED.split('|')));
    expect(OUTCOMES).toEqual(expect.arrayContaining(EXECUTED.split('|')));
    expect(OUTCOMES).toEqual(expect.arrayContaining(FAILED.split('|')));
  });
});
