import { CATALOG } from '../../../src/cli/catalog.ts';
import type { Area, Command } from '../../../src/cli/frame/command.ts';
import type { CliPorts, Sink } from '../../../src/cli/frame/ports.ts';
import { runCli } from '../../../src/cli/frame/run-cli.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';

/** A sink that remembers. */
export class MemorySink implements Sink {
  text = '';
  readonly isTty: boolean;
  readonly columns: number | undefined;

  constructor(isTty = false, columns?: number) {
    this.isTty = isTty;
    this.columns = columns;
  }

  write(text: string): Promise<void> {
    this.text += text;
    return Promise.resolve();
  }
}

/** What a command line gave. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test puts in place of the defaults. */
export interface HarnessOptions extends Partial<CliPorts> {
  readonly entries?: readonly (Area | Command)[];
}

/** Runs a command line in this process, with memory in place of the terminal and an empty environment. */
export async function runInMemory(args: readonly string[], options: HarnessOptions = {}): Promise<CliRun> {
  const { entries = CATALOG, ...ports } = options;
  const stdout = new MemorySink();
  const stderr = new MemorySink();
  const code = await runCli(args, entries, {
    about: { version: '1.2.3', node: '24.15.0', supportedNode: '>=24.0.0' },
    stdout,
    stderr,
    env: {},
    cwd: '/',
    clock: new FakeClock(),
    random: seededRandom(1),
    signal: new AbortController().signal,
    ...ports,
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
