#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { systemRandom } from '../core/random.ts';
import { systemClock } from '../core/time/clock.ts';
import { MAX_TIMER_MS } from '../core/time/duration.ts';
import { CATALOG } from './catalog.ts';
import { Interruption } from './frame/exit-codes.ts';
import type { Sink } from './frame/ports.ts';
import { runCli } from './frame/run-cli.ts';

/** The only file of the CLI that touches the process. */

function sinkFor(stream: NodeJS.WriteStream): Sink {
  // Without a listener a broken pipe would be an uncaught exception; the write that met it rejects.
  stream.on('error', () => {});
  return {
    isTty: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => {
          if (error) reject(error);
          else resolve();
        });
      }),
  };
}

// Sockets and timers of telemetry never keep a process alive; a command that waits for them has to.
systemClock.setTimer(() => {}, MAX_TIMER_MS);

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // Once: a second one ends the process at once, as Node does by default.
  process.once(signal, () => interrupt.abort(new Interruption(signal)));
}

const { version, engines } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string; engines: { node: string } };

const code = await runCli(process.argv.slice(2), CATALOG, {
  about: { version, node: process.versions.node, supportedNode: engines.node },
  stdout: sinkFor(process.stdout),
  stderr: sinkFor(process.stderr),
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  random: systemRandom,
  signal: interrupt.signal,
});
// Everything is written: each write was waited for. What a command left behind must not keep the process.
process.exit(code);
