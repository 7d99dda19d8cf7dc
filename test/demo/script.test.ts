import { describe, expect, test } from 'vitest';
import { DEPENDENCIES, faultScript, PHASES } from '../../examples/demo/fault-script.ts';
import type { Flags, Refusal } from '../../examples/demo/flags.ts';
import { HELP, readFlags } from '../../examples/demo/flags.ts';
import { latencyOf } from '../../examples/demo/latency.ts';
import { startDemo } from './demo-process.ts';

describe('the fault script', () => {
  test('is the same for the same seed, and another one for another', () => {
    expect(faultScript(7, 20_000)).toEqual(faultScript(7, 20_000));
    expect(faultScript(8, 20_000)).not.toEqual(faultScript(7, 20_000));
  });

  test.for([5_000, 20_000, 3_600_000])('covers %i ms without gaps, in five phases', (durationMs) => {
    const script = faultScript(3, durationMs);
    expect(script.map(({ name }) => name)).toEqual([...PHASES]);
    let reached = 0;
    for (const { offsetMs, lengthMs } of script) {
      expect(offsetMs).toBe(reached);
      expect(lengthMs).toBeGreaterThan(durationMs * 0.1);
      reached += lengthMs;
    }
    expect(Math.abs(reached - durationMs)).toBeLessThanOrEqual(PHASES.length);
  });

  test('takes payments down once, and says for every service how it does', () => {
    const script = faultScript(1, 20_000);
    expect(script.filter(({ conditions }) => conditions.payments === 'down').map(({ name }) => name)).toEqual(
      ['down'],
    );
    for (const { conditions } of script) expect(Object.keys(conditions)).toEqual([...DEPENDENCIES]);
  });
});

describe('the flags', () => {
  const refused = (...args: readonly string[]): Refusal => readFlags(args) as Refusal;

  test('have defaults', () => {
    const defaults: Flags = { durationMs: 30_000, json: false, seed: 1, otlp: undefined, home: undefined };
    expect(readFlags([])).toEqual(defaults);
  });

  test('are read', () => {
    const args = [
      '--for',
      '1.5m',
      '--json',
      '--seed',
      '42',
      '--otlp',
      'http://127.0.0.1:4318',
      '--home',
      'here',
    ];
    expect(readFlags(args)).toEqual({
      durationMs: 90_000,
      json: true,
      seed: 42,
      otlp: 'http://127.0.0.1:4318',
      home: 'here',
    });
  });

  test.for([
    [['--fro', '20s'], "Unknown option '--fro'"],
    [['--for', '20'], 'Expected --for to be a time from 5s to 1h, got `20`. Try --for 20s.'],
    [['--for', '1s'], 'Expected --for to be a time from 5s to 1h, got `1s`. Try --for 20s.'],
    [['--for', '2h'], 'Expected --for to be a time from 5s to 1h, got `2h`. Try --for 20s.'],
    [['--seed', 'x'], 'Expected --seed to be a whole number, got `x`. Try --seed 7.'],
    [
      ['--otlp', 'nowhere'],
      'Expected --otlp to be an http or https URL, got `nowhere`. Try --otlp http://127.0.0.1:4318.',
    ],
    [['--home', ''], 'Expected --home to be a folder, got nothing. Leave it out for a fresh one.'],
    [['again'], "Unexpected argument 'again'"],
  ] as const)('%j are refused with what to do', ([args, problem]) => {
    const { exitCode, text } = refused(...args);
    expect(exitCode).toBe(2);
    expect(text.split('\n')).toEqual([
      expect.stringContaining(problem),
      '`npm run demo -- --help` lists the flags.',
      '',
    ]);
  });

  test('--help lists each of them', async () => {
    expect(refused('--help')).toEqual({ exitCode: 0, text: HELP });
    for (const flag of ['--for', '--seed', '--json', '--otlp', '--home'])
      expect(HELP).toContain(`  ${flag} `);
    expect(await startDemo('--help').result).toEqual({ stdout: HELP, stderr: '', exit: 0 });
  });

  test('an unknown one ends the program with exit code 2 and an empty standard output', async () => {
    const { stdout, stderr, exit } = await startDemo('--loud').result;
    expect({ stdout, exit }).toEqual({ stdout: '', exit: 2 });
    expect(stderr).toContain("Unknown option '--loud'");
  });
});

describe('latencies', () => {
  test('are nearest-rank percentiles', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(latencyOf(values)).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 });
    expect(latencyOf([5])).toEqual({ p50: 5, p95: 5, p99: 5, max: 5 });
    expect(latencyOf([])).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
  });
});
