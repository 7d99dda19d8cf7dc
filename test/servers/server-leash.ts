// Runs a server as a user for as long as its own standard input is open: `node server-leash.ts UID GID COMMAND ARGS...`. A test that is killed,
// by whatever, closes that pipe, and the server ends with it instead of living on. Says the server's process id first.
import { spawn } from 'node:child_process';

const GRACE_MS = 5_000;

const [uid, gid, command = '', ...args] = process.argv.slice(2);
const user = process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : {};
const server = spawn(command, args, { ...user, stdio: ['ignore', 'inherit', 'inherit'], cwd: '/' });
let isEnding = false;

function end(): void {
  if (isEnding) return;
  isEnding = true;
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGKILL'), GRACE_MS).unref();
}

server.once('spawn', () => console.log(`pid ${server.pid}`));
server.once('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
server.once('exit', (code) => process.exit(code ?? 1));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
process.stdin.on('end', end).on('close', end).on('error', end).resume();
