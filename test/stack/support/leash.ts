// Runs a command for as long as its own standard input is open: `node leash.ts COMMAND ARGS...`. A test that is killed, by whatever, closes
// that pipe, and the backend ends with it instead of living on.
import { spawn } from 'node:child_process';

const GRACE_MS = 5_000;

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let ending = false;

function end(): void {
  if (ending) return;
  ending = true;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
}

child.once('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.once('exit', (code) => process.exit(code ?? (ending ? 0 : 1)));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
process.stdin.on('end', end).on('close', end).on('error', end).resume();
