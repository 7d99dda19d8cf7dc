import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ADDRESSES, PORT_NAMES, type Ports } from './support/addresses.ts';
import { at, changedLeaves, edited, type Path, shipped, type Value } from './support/documents.ts';
import { writeConfigs } from './support/stack.ts';
import { isTiming, TIMING, timingEdits } from './support/timing-overlay.ts';
import { milliseconds } from './support/timings.ts';

/** The keys that hold an address or a path; nothing else but the timing keys may differ from what is shipped. */
const ADDRESS_KEYS = ['endpoint', 'directory', 'host', 'port', 'url_file', 'keys', 'values'];
const ADDRESS_LISTS = ['targets', 'rule_files', 'templates'];
const TIMING_KEYS = [
  'for',
  'keep_firing_for',
  'evaluation_interval',
  'interval',
  'scrape_interval',
  'scrape_timeout',
  'group_wait',
  'group_interval',
  'repeat_interval',
  'metrics_flush_interval',
  'decision_wait',
  'max_connection_age',
  'max_connection_age_grace',
];

function isAddress(path: Path): boolean {
  const [list, key] = path.slice(-2);
  return (
    ADDRESS_KEYS.includes(String(key)) || (ADDRESS_LISTS.includes(String(list)) && typeof key === 'number')
  );
}

/** @returns the leaves that differ although they are neither an address nor a timing */
function unexpected(before: Value, after: Value): readonly string[] {
  return changedLeaves(before, after)
    .filter((path) => !isAddress(path) && !TIMING_KEYS.includes(String(path.at(-1))))
    .map((path) => path.join(' > '));
}

const ports = Object.fromEntries(PORT_NAMES.map((name, index) => [name, 20_000 + index])) as unknown as Ports;
const folder = mkdtempSync(join(tmpdir(), 'keelson-overlay-'));
const configs = writeConfigs(folder, ports, 'http://127.0.0.1:29999');
const used = (file: string): Value => parse(readFileSync(configs[file]?.path ?? '', 'utf8')) as Value;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what the tests start', () => {
  test.each(Object.keys(ADDRESSES))('is %s as shipped, but for addresses and timings', (file) => {
    expect(unexpected(shipped(file).document, used(file))).toEqual([]);
  });

  test('only waits less than what is shipped', () => {
    for (const file of Object.keys(ADDRESSES)) {
      const { document } = shipped(file);
      const changed = changedLeaves(document, edited(document, timingEdits(document)));
      expect(changed.filter((path) => !isTiming(path))).toEqual([]);
    }
    for (const value of Object.values(TIMING)) expect(milliseconds(value)).toBeGreaterThan(0);
    expect(Object.keys(TIMING).toSorted()).toEqual(TIMING_KEYS.toSorted());
  });

  test('leaves no address of the compose network behind', () => {
    for (const file of Object.keys(ADDRESSES)) {
      const text = readFileSync(configs[file]?.path ?? '', 'utf8');
      expect(text).not.toMatch(/0\.0\.0\.0|\b(jaeger|prometheus|alertmanager|otel-collector|grafana):\d/);
    }
  });
});

describe('an overlay that changes anything else', () => {
  const rules = shipped('dashboards/prometheus/rules/guards.yaml').document;
  const rulesOfGroup = at(rules, ['groups', 0, 'rules']) as readonly Value[];
  const rule: Path = [
    'groups',
    0,
    'rules',
    rulesOfGroup.findIndex((each) => at(each, ['alert']) !== undefined),
  ];

  test.each([
    ['an expression', [...rule, 'expr'], 'vector(1)'],
    ['a severity', [...rule, 'labels', 'severity'], 'warning'],
  ])('is reported: %s', (_, path, value) => {
    expect(unexpected(rules, edited(rules, [{ path, value }]))).toEqual([path.join(' > ')]);
  });

  test('is reported: a value that is added, or taken away', () => {
    expect(unexpected({ a: { b: 1 } }, { a: { b: 1, c: 2 } })).toEqual(['a > c']);
    expect(unexpected({ a: { b: 1, c: [] } }, { a: { b: 1 } })).toEqual(['a > c']);
  });

  test('cannot name what the shipped file does not have', () => {
    expect(() => edited(rules, [{ path: ['groups', 9, 'name'], value: 'x' }])).toThrow('groups > 9 > name');
  });
});
