// Runs a command, in a process group of its own, for as long as its own standard input is open: `node group-leash.ts COMMAND ARGS...`. A test
// that is killed, by whatever, closes that pipe, and the command ends with all that it has started.
import { spawn } from 'node:child_process';

const GRACE_MS = 5_000;

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
let isEnding = false;

function signal(name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // Nobody is left in the group.
  }
}

function end(): void {
  if (isEnding) return;
  isEnding = true;
  signal('SIGTERM');
  setTimeout(() => signal('SIGKILL'), GRACE_MS).unref();
}

child.once('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.once('exit', (code) => {
  signal('SIGKILL');
  process.exit(code ?? 1);
});
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, end);
process.stdin.on('end', end).on('close', end).on('error', end).resume();
