import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { FakeClock } from '../../../../src/testing/index.ts';
import { eventually } from '../../../support/otlp-receiver.ts';
import { runInMemory } from '../cli-harness.ts';
import type { HarnessOptions } from '../cli-harness.ts';

/** A check, as `--json` gives it. */
export interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly remedy?: string;
}

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'keelson-doctor-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Runs the doctor with a fake clock and a home that does not exist. */
export async function examine(
  args: readonly string[],
  options: HarnessOptions = {},
): Promise<{ readonly code: number; readonly checks: readonly Check[] }> {
  const clock = new FakeClock(Date.UTC(2026, 10, 22));
  let done = false;
  const home = args.includes('--home') ? [] : ['--home', join(folder(), 'none')];
  const running = runInMemory(['doctor', '--json', '--wait', '3s', ...home, ...args], { clock, ...options });
  const ended = running.finally(() => {
    done = true;
  });
  // Time passes only while the doctor waits for something to arrive: its requests have an end of their own.
  await eventually(async () => {
    if (!done && clock.timers.running === clock.timers.refed && clock.timers.refed === 1)
      await clock.advance(100);
    return done;
  }, 'the doctor to end');
  const { code, stdout } = await ended;
  return { code, checks: (JSON.parse(stdout) as { checks: Check[] }).checks };
}

/** The one check of a name. */
export function named(checks: readonly Check[], name: string): Check {
  const found = checks.filter((check) => check.name === name);
  if (found.length !== 1) throw new Error(`Expected one check ${name}, got ${found.length}.`);
  return found[0] as Check;
}

/** The statuses by name. */
export const statusesOf = (checks: readonly Check[]): Readonly<Record<string, string>> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]));
