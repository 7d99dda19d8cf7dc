// The demo: `npm run demo`. See ../README.md.
import { existsSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { painter } from './board.ts';
import type { Flags } from './flags.ts';
import { readFlags } from './flags.ts';
import { whenParentsEnd } from './parents.ts';
import { runShop } from './run.ts';
import type { Screen } from './screen.ts';
import { liveScreen, plainScreen, silentScreen } from './screen.ts';
import { summarize, summaryLines } from './summary.ts';

function homeOf(flags: Flags): string {
  if (flags.home !== undefined) return resolve(flags.home);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+Z$/g, '');
  return resolve(process.env['KEELSON_HOME'] ?? '.keelson', 'demo', `${stamp}-${process.pid}`);
}

/** Makes the folder level by level: with `recursive`, Node never returns below some file systems, such as /proc. */
function makeHome(home: string): void {
  try {
    mkdirSync(home, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(dirname(home))) throw error;
    makeHome(dirname(home));
    mkdirSync(home, { mode: 0o700 });
  }
}

function screenFor(flags: Flags): Screen {
  if (flags.json) return silentScreen();
  const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
  const paint = painter(live && (process.env['NO_COLOR'] ?? '') === '');
  return live ? liveScreen(process.stdout, paint) : plainScreen((text) => process.stdout.write(text), paint);
}

/** Aborts at the first SIGINT or SIGTERM, and tells which one it was. */
function interruption(): { readonly signal: AbortSignal; readonly exitCode: () => number } {
  const controller = new AbortController();
  let exitCode = 0;
  const stop = (name: 'SIGINT' | 'SIGTERM') => (): void => {
    exitCode = 128 + constants.signals[name];
    controller.abort();
  };
  process.on('SIGINT', stop('SIGINT'));
  process.on('SIGTERM', stop('SIGTERM'));
  whenParentsEnd(stop('SIGTERM'));
  // Whoever read our output is gone, as in `npm run demo | head`.
  process.stdout.on('error', () => controller.abort());
  return { signal: controller.signal, exitCode: () => exitCode };
}

async function demo(flags: Flags): Promise<number> {
  const home = homeOf(flags);
  try {
    makeHome(home);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`Cannot use ${home}: ${why}. Choose another folder with --home.\n`);
    return 2;
  }
  const interrupted = interruption();
  const screen = screenFor(flags);
  try {
    const state = await runShop(flags, home, screen, interrupted.signal);
    screen.close();
    const summary = summarize(state);
    const text = flags.json
      ? JSON.stringify(summary)
      : [
          '',
          ...summaryLines(summary),
          `             jq . ${join(summary.telemetry.folder, 'traces')}/*.jsonl`,
        ].join('\n');
    process.stdout.write(`${text}\n`);
    return interrupted.exitCode();
  } catch (error) {
    screen.close();
    process.stderr.write(`The demo broke off: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

const flags = readFlags(process.argv.slice(2));
if ('exitCode' in flags) {
  (flags.exitCode === 0 ? process.stdout : process.stderr).write(flags.text);
  process.exitCode = flags.exitCode;
} else {
  process.exitCode = await demo(flags);
}
