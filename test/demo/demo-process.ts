import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a run of the demo ended. */
export interface DemoResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | string | null;
}

/** A running demo. */
export interface DemoProcess {
  readonly child: ChildProcess;
  readonly result: Promise<DemoResult>;
}

/** Starts `examples/demo/main.ts`. */
export function startDemo(...args: readonly string[]): DemoProcess {
  const child = spawn(process.execPath, ['examples/demo/main.ts', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const result = once(child, 'close').then(([code, signal]) => ({
    stdout,
    stderr,
    exit: (code ?? signal) as number | string | null,
  }));
  return { child, result };
}

interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function processes(): readonly ProcessLine[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  return listed
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = '', parent = '', state = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}

/** The processes that a process has started. */
export function childrenOf(pid: number | undefined): readonly number[] {
  return processes()
    .filter(({ parent, state }) => parent === pid && !state.startsWith('Z'))
    .map((line) => line.pid);
}

/** Those of `pids` that still run; a zombie does not. */
export function alive(pids: readonly number[]): readonly number[] {
  const running = new Set(processes().flatMap(({ pid, state }) => (state.startsWith('Z') ? [] : [pid])));
  return pids.filter((pid) => running.has(pid));
}

/** Looks again and again until `accept` likes what it sees, at most for `withinMs`; gives what was seen last. */
export async function eventually<T>(
  look: () => T,
  accept: (seen: T) => boolean,
  withinMs: number,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let seen = look();
  while (!accept(seen) && Date.now() < deadline) {
    await sleep(50);
    seen = look();
  }
  return seen;
}
