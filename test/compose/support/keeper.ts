// Keeps a world for as long as its own standard input is open: `node keeper.ts COMMAND ARGS...` runs the command in a world, ends all of
// it when the command ends or the one who asked is gone, and removes what is left. Ends with the command's exit code.
import { once } from 'node:events';
import { enterWorld, makeWorld, removeWorld } from './world.ts';

const folder = makeWorld();
const world = enterWorld(folder, process.argv.slice(2));
let asked = false;

function end(): void {
  asked = true;
  // `unshare` takes its child along, and the first process of a namespace everything in it.
  world.kill('SIGKILL');
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
process.stdin.on('end', end).on('close', end).on('error', end).resume();

try {
  const [code] = (await once(world, 'exit')) as [number | null];
  process.exitCode = code ?? (asked ? 130 : 1);
} finally {
  await removeWorld(folder);
}
process.stdin.destroy();
