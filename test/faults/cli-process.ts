import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { requireBuild } from '../package/packed-package.ts';

/** The built CLI. */
export const CLI = 'dist/cli/main.js';

/** How a run of the built CLI ended. */
export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built CLI as a process. */
export class CliProcess {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<CliEnd>;
  stdout = '';
  stderr = '';

  /** @param nodeFlags flags of Node's own */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, nodeFlags: readonly string[] = []) {
    requireBuild();
    this.child = spawn(process.execPath, [...nodeFlags, CLI, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...env },
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }
}

/** Runs the built CLI to its end. */
export function runCliProcess(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliEnd> {
  return new CliProcess(args, env).ended;
}
