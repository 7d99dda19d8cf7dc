import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pathOf, serverUser } from './programs.ts';
import { freePort, ServerProcess } from './server-process.ts';

const run = promisify(execFile);

/** A real server of the test, with a data folder of its own. */
export interface TestServer {
  readonly url: string;
  /** `kill -9`. */
  crash(): Promise<void>;
  /** Starts it again, on the same port and with the same data. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A Redis that keeps nothing on disk. */
export async function startRedis(): Promise<TestServer> {
  const program = pathOf('redis-server');
  const folder = dataFolder('redis');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  return started(new ServerProcess(program, args, port, serverUser()), folder, `redis://127.0.0.1:${port}`);
}

/** A PostgreSQL with one superuser, `keelson`. */
export async function startPostgres(): Promise<TestServer> {
  const program = pathOf('postgres');
  const folder = dataFolder('postgres');
  const port = await freePort();
  const user = serverUser();
  const options = { cwd: '/', ...(process.getuid?.() === 0 ? user : {}) };
  await run(
    pathOf('initdb'),
    ['-D', folder, '-U', 'keelson', '-A', 'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync'],
    options,
  );
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'shared_buffers=16MB',
    'fsync=off',
  ];
  const args = ['-D', folder, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const url = `postgres://keelson@127.0.0.1:${port}/postgres`;
  return started(new ServerProcess(program, args, port, user), folder, url);
}

async function started(server: ServerProcess, folder: string, url: string): Promise<TestServer> {
  const end = async (): Promise<void> => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (error) {
    await end();
    throw error;
  }
  return {
    url,
    crash: () => server.crash(),
    restart: () => server.start(),
    [Symbol.asyncDispose]: end,
  };
}

function dataFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `keelson-${name}-`));
  const { uid, gid } = serverUser();
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
  return folder;
}
