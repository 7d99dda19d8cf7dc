import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outputs, staleOutputs } from '../../../dashboards/src/outputs.ts';
import { EXECUTED, FAILED, NOT_CLOSED } from '../../../dashboards/src/queries.ts';
import { readSettings } from '../../../dashboards/src/settings/settings.ts';
import { BREAKER_STATES } from '../../../src/core/events.ts';
import { OUTCOMES } from '../../../src/core/outcome.ts';

const expected = outputs(readSettings());

describe('the generated files', () => {
  test('are what the sources make; run `npm run dashboards` otherwise', () => {
    expect(staleOutputs(expected)).toEqual([]);
  });

  test('the check reports a planted change and a file that is missing', () => {
    const read = (path: string): string | undefined => {
      if (path.endsWith('keelson-host.json')) return undefined;
      const text = readFileSync(path, 'utf8');
      return path.endsWith('rules/guards.yaml') ? text.replace('1m', '2m') : text;
    };
    expect(staleOutputs(expected, read).map((path) => basename(path))).toEqual([
      'keelson-host.json',
      'guards.yaml',
    ]);
  });

  test('come out the same each time', () => {
    expect(outputs(readSettings())).toEqual(expected);
  });
});

describe('the closed sets in queries', () => {
  test('are values that the product knows', () => {
    expect(BREAKER_STATES).toEqual(expect.arrayContaining(NOT_CLOSED.split('|')));
    expect(OUTCOMES).toEqual(expect.arrayContaining(EXECUTED.split('|')));
    expect(OUTCOMES).toEqual(expect.arrayContaining(FAILED.split('|')));
  });
});
