import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../stack/support/poll.ts';
import { missingRequirements } from './support/requirements.ts';
import { cgroupsOf, mountsOf, processesOf, sweepWorlds } from './support/world.ts';

const KEEPER = join(import.meta.dirname, 'support', 'keeper.ts');
const DAEMON = JSON.stringify(join(import.meta.dirname, 'support', 'daemon.ts'));
const IMAGES = JSON.stringify(join(import.meta.dirname, 'support', 'images.ts'));
const DOCKER = JSON.stringify(join(import.meta.dirname, 'support', 'docker.ts'));

// A test run in small: a daemon, an image, a container with a published port. It never ends by itself.
const RUN = `
  import { Daemon } from ${DAEMON};
  import { buildImage, defaultImage } from ${IMAGES};
  import { docker, worldFolder } from ${DOCKER};
  const world = worldFolder();
  await Daemon.start(world);
  await buildImage(world, 'INIT_IMAGE');
  const { code, text } = await docker(world, 'run', '--detach', '--publish=127.0.0.1:9090:80', defaultImage('INIT_IMAGE'), 'tail', '-f', '/dev/null');
  console.log(code === 0 ? 'WORLD ' + world : text);
  setInterval(() => {}, 1000);
`;

/** Starts a world inside this one, with a daemon and a container in it. @returns its keeper and its folder */
async function smallRun(): Promise<{ readonly keeper: ChildProcess; readonly folder: string }> {
  const keeper = spawn(process.execPath, [KEEPER, process.execPath, '--input-type=module', '-e', RUN], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  keeper.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const folder = await until('the container', async () => /WORLD (\S+)/.exec(output)?.[1], 60_000).catch(
    () => '',
  );
  expect(folder, output).not.toBe('');
  return { keeper, folder };
}

const ended = (folder: string): Promise<true> =>
  until('the end of the world', async () => (processesOf(folder).length === 0 ? true : undefined), 20_000);

describe('a run whose test is killed', () => {
  test('leaves nothing: no process, mount, network, control group or file', async () => {
    const before = Object.keys(networkInterfaces());
    const { keeper, folder } = await smallRun();
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(3);
    expect(cgroupsOf(folder)).not.toEqual([]);
    // What the kernel does with the pipe when the one who holds it dies.
    keeper.stdin?.end();
    await once(keeper, 'exit');
    expect(processesOf(folder)).toEqual([]);
    expect(mountsOf(folder)).toEqual([]);
    expect(cgroupsOf(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(Object.keys(networkInterfaces())).toEqual(before);
  });

  test('even when its keeper is killed with it: all but files, which the next run removes', async () => {
    const { keeper, folder } = await smallRun();
    expect(await sweepWorlds()).not.toContain(folder);
    keeper.kill('SIGKILL');
    expect(await ended(folder)).toBe(true);
    expect(mountsOf(folder)).toEqual([]);
    expect(await sweepWorlds()).toContain(folder);
    expect(existsSync(folder)).toBe(false);
    expect(cgroupsOf(folder)).toEqual([]);
  });
});

describe('a machine that lacks something', () => {
  const machine = { platform: 'linux', uid: 0, env: process.env };

  test('is told nothing when all is there', () => {
    expect(missingRequirements(machine)).toEqual([]);
  });

  test('is told all of it at once, with what to install', () => {
    const poor = missingRequirements({
      ...machine,
      uid: 1000,
      env: { PATH: '/nowhere', KEELSON_STACK_CACHE: '/nowhere' },
    }).join('\n');
    expect(poor).toContain('Expected to run as root, got user 1000');
    expect(poor).toContain('Missing: dockerd, docker, containerd, iptables, tini, busybox');
    expect(poor).toContain('apt-get install docker.io busybox-static');
    expect(poor).toContain('npm run stack:install');
  });

  test('that is not Linux is told that', () => {
    expect(missingRequirements({ ...machine, platform: 'darwin' })).toEqual([
      'Expected Linux, got darwin: the tests start a Docker daemon in namespaces.',
    ]);
  });
});
