import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingsProblems, type Table } from '../../../dashboards/src/settings/check.ts';
import { SHIPPED_SETTINGS, readSettings } from '../../../dashboards/src/settings/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'keelson-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function own(yaml: string): string {
  const path = join(folder, 'own.yaml');
  writeFileSync(path, yaml);
  return path;
}

const BUILD = join(import.meta.dirname, '../../../dashboards/src/build.ts');
const build = (...args: readonly string[]) =>
  spawnSync(process.execPath, [BUILD, ...args], { encoding: 'utf8', cwd: folder });

describe('the shipped settings', () => {
  test('are right', () => {
    expect(settingsProblems(parse(readFileSync(SHIPPED_SETTINGS, 'utf8')) as Table)).toEqual([]);
  });
});

describe('settings of one’s own', () => {
  test('need to hold only what differs', () => {
    const settings = readSettings(own('thresholds: { CallFailureRatioHigh: { ratio: 0.2 } }\n'));
    expect(settings.thresholds.CallFailureRatioHigh).toEqual({
      ...readSettings().thresholds.CallFailureRatioHigh,
      ratio: 0.2,
    });
    expect(settings.thresholds.RetryStorm).toEqual(readSettings().thresholds.RetryStorm);
  });

  test('replace the objectives as a whole', () => {
    const slo = '{ indicator: requests, objective: 0.99, minimumRate: 1 }';
    expect(Object.keys(readSettings(own(`slos: { checkout: ${slo} }\n`)).slos)).toEqual(['checkout']);
  });

  test.each([
    ['threshold: {}', 'threshold: not known. Known are addresses, slos, notifications, thresholds.'],
    [
      'thresholds: { CallFailureRatio: { ratio: 1 } }',
      'thresholds.CallFailureRatio: there is no such alert.',
    ],
    [
      'thresholds: { RetryStorm: { attempts: 2 } }',
      'thresholds.RetryStorm.attempts: not known. Known are for, keepFiringFor, attemptsPerCall, minimumRate.',
    ],
    [
      'thresholds: { CallFailureRatioHigh: { ratio: 5% } }',
      'thresholds.CallFailureRatioHigh.ratio: expected a number in (0, 1], got "5%". Use 0.05 for five percent.',
    ],
    ['thresholds: { CallFailureRatioHigh: { ratio: 5 } }', 'expected a number in (0, 1], got 5.'],
    ['thresholds: { HostCpuHigh: { for: 5 } }', 'thresholds.HostCpuHigh.for: expected a duration, got 5.'],
    ['thresholds: { HostCpuHigh: }', 'thresholds.HostCpuHigh: expected a map, got null.'],
    [
      'thresholds: { HostCpuHigh: { ratio: 0.99 } }',
      'thresholds.HostCpuHigh.ratio: expected less than HostCpuCritical.ratio (0.95), got 0.99.',
    ],
    [
      'slos: { fast: { indicator: request_latency, objective: 0.99, minimumRate: 1, seconds: 0.3 } }',
      'slos.fast.seconds: expected one of 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15, got 0.3.',
    ],
    [
      'slos: { a: { indicator: calls, objective: 0.99, minimumRate: 1 } }',
      'slos.a.indicator: expected requests,',
    ],
    [
      'slos: { a: { indicator: requests, objective: 99, minimumRate: 1 } }',
      'slos.a.objective: expected a number',
    ],
    [
      'addresses: { grafana: grafana.example.com }',
      'addresses.grafana: expected an address such as https://',
    ],
    [
      'notifications: { critical: [pager] }',
      'notifications.critical: expected a list of webhook, slack, email',
    ],
    ['notifications: { email: { smarthost: smtp } }', 'notifications.email.smarthost: expected host:port'],
    ['- a list', 'expected a map with sections'],
    ['a: [', 'expected a readable YAML file'],
  ])('are refused with what to write: %s', (yaml, problem) => {
    expect(() => readSettings(own(yaml))).toThrow(problem);
  });

  test('tell every problem at once', () => {
    const yaml = 'thresholds: { HostCpuHigh: { ratio: 7, for: soon } }\naddresses: { jaeger: "" }\n';
    expect(() => readSettings(own(yaml))).toThrow('has 3 problems');
  });
});

describe('the program that writes the files', () => {
  test('writes those of one’s own settings elsewhere, and leaves the shipped ones alone', () => {
    const file = own('thresholds: { CallFailureRatioHigh: { ratio: 0.25 } }\n');
    const answer = build('--settings', file, '--out', 'mine');
    expect(answer.status).toBe(0);
    expect(readdirSync(join(folder, 'mine')).toSorted()).toContain('prometheus');
    expect(readFileSync(join(folder, 'mine/prometheus/rules/guards.yaml'), 'utf8')).toContain('> 0.25\n');
    expect(readFileSync(join(folder, 'mine/grafana/keelson-guards.json'), 'utf8')).toContain('"value": 0.25');
    expect(build('--check').status).toBe(0);
  });

  test('writes nothing where they are wrong, and says what to do', () => {
    const answer = build('--settings', own('thresholds: { RetryStorm: { for: 5 } }'), '--out', 'wrong');
    expect(answer.status).toBe(1);
    expect(answer.stderr).toContain(
      'thresholds.RetryStorm.for: expected a duration, got 5. Use 90s, 5m, 1h or 0s.',
    );
    expect(readdirSync(folder)).not.toContain('wrong');
  });

  test('wants to know where to write', () => {
    const answer = build('--settings', own(''));
    expect(answer.status).toBe(2);
    expect(answer.stderr).toContain('Expected --out FOLDER');
    expect(build('--nonsense').status).toBe(2);
  });
});
