import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeClock } from '../../../../src/testing/index.ts';
import { eventually } from '../../../support/otlp-receiver.ts';
import { runInMemory } from '../cli-harness.ts';
import type { CliRun, HarnessOptions } from '../cli-harness.ts';
import { temporaryFolder } from './journal-folder.ts';

export const NOW: number = Date.UTC(2026, 10, 22, 12);
export const MINUTE = 60_000;

/** What `--json` gives, as far as tests look. */
export interface Report {
  readonly to: string;
  readonly lines: number;
  readonly files: number;
  readonly bytes: number;
  readonly signals: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly rejected: readonly object[];
  readonly damaged: readonly object[];
  readonly unfinished: readonly string[];
  readonly leftOut: readonly string[];
  readonly foreign: readonly string[];
  readonly live: readonly string[];
  readonly unreadable: readonly string[];
  readonly delivered?: { readonly archives: number; readonly bytes: number };
  readonly stopped?: { readonly line: number; readonly reason: string; readonly remedy: string };
}

/** Replays in this process, with a fake clock. */
export const replaying = (args: readonly string[], options: HarnessOptions = {}): Promise<CliRun> =>
  runInMemory(['telemetry', 'replay', ...args], { clock: new FakeClock(NOW), ...options });

/** Replays with `--json`. @throws where there is anything on standard error */
export async function replayed(
  args: readonly string[],
  options: HarnessOptions = {},
): Promise<{ readonly code: number; readonly report: Report }> {
  const { code, stdout, stderr } = await replaying([...args, '--json'], options);
  if (stderr !== '') throw new Error(`Expected nothing on standard error, got ${stderr}`);
  return { code, report: JSON.parse(stdout) as Report };
}

/** A file with these lines. */
export function fileOf(...lines: readonly string[]): string {
  const file = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

/** Lets a clock run until the work is done; it stands still while a request is under way, whose time limit keeps nothing waiting. */
export async function letting<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  await eventually(async () => {
    if (clock.timers.refed > 0) await clock.advance(500);
    return done;
  }, 'the command to end');
  return ended;
}
