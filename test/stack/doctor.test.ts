import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { runCliProcess } from '../faults/cli-process.ts';
import { Stack } from './support/stack.ts';

interface Answer {
  readonly healthy: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
}

let stack: Stack;
let home: string;

beforeAll(async () => {
  stack = await Stack.start();
  home = mkdtempSync(join(tmpdir(), 'keelson-doctor-'));
});

afterAll(async () => {
  await stack?.stop();
  if (home) rmSync(home, { recursive: true, force: true });
});

async function doctor(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly answer: Answer }> {
  const { otlp, jaeger, prometheus, alertmanager } = stack;
  const addresses = [
    '--otlp',
    otlp,
    '--jaeger',
    jaeger,
    '--prometheus',
    prometheus,
    '--alertmanager',
    alertmanager,
  ];
  const { code, stdout, stderr } = await runCliProcess([
    'doctor',
    '--json',
    '--home',
    home,
    ...addresses,
    ...args,
  ]);
  expect(stderr).toBe('');
  return { code, answer: JSON.parse(stdout) as Answer };
}

const statuses = ({ checks }: Answer): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));

describe('keelson doctor', () => {
  test('finds its span in Jaeger, its metric in Prometheus and its alert in Alertmanager', async () => {
    const { code, answer } = await doctor();
    expect(answer.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect({ code, healthy: answer.healthy }).toEqual({ code: 0, healthy: true });
    expect(statuses(answer)).toMatchObject({
      'otlp traces': 'pass',
      'otlp metrics': 'pass',
      'otlp logs': 'pass',
      'span in jaeger': 'pass',
      'metric in prometheus': 'pass',
      rules: 'pass',
      'alert delivery': 'pass',
      'test alert': 'pass',
    });
  });

  test('finds them again in a second run, and tells nobody of the alerts', async () => {
    expect((await doctor()).code).toBe(0);
    expect(stack.webhook.find('firing', { alertname: 'KeelsonDoctorTest' })).toBeUndefined();
  });

  test('says which part is not there', async () => {
    const { code, answer } = await doctor('--jaeger', stack.prometheus, '--wait', '1s');
    expect({ code, healthy: answer.healthy }).toEqual({ code: 1, healthy: false });
    expect(statuses(answer)).toMatchObject({
      jaeger: 'fail',
      'span in jaeger': 'skipped',
      'metric in prometheus': 'pass',
    });
  });
});
