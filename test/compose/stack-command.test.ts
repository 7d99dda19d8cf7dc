import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../stack/support/documents.ts';
import { isUp } from '../stack/support/poll.ts';
import { type Answer, docker, dockerEnv, run, worldFolder } from './support/docker.ts';
import { alertSecrets } from './support/project.ts';

const MOVED_PORT = 19_090;

const world = worldFolder();
const home = join(mkdtempSync(join(world, 'user-')), 'home');
const secrets = join(home, 'secrets');

/** Runs the built CLI as a user does. */
const keelson = (...args: readonly string[]): Promise<Answer> =>
  run(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'stack', ...args], {
    cwd: world,
    env: { ...dockerEnv(world), KEELSON_HOME: home },
  });

const running = async (): Promise<readonly string[]> => {
  const { stdout } = await docker(world, 'ps', '--format={{.Label "com.docker.compose.service"}}');
  return stdout.split('\n').filter((name) => name !== '');
};

/** What `keelson stack up --json` says, as far as the tests read it. */
interface Report {
  readonly healthy: boolean;
  readonly addresses: Readonly<Record<string, string>>;
  readonly grafanaPasswordFile: string;
}

beforeAll(() => {
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(join(home, 'stack'), { mode: 0o700 });
  mkdirSync(secrets, { mode: 0o700 });
  writeFileSync(join(home, 'stack', '.env'), `PROMETHEUS_PORT=${MOVED_PORT}\n`);
});

afterAll(async () => {
  await keelson('down', '--volumes', '--yes');
});

test('says a port that is taken and the secrets that are missing, and starts nothing', async () => {
  const other = createServer().listen(16_686, '127.0.0.1');
  await once(other, 'listening');
  const { code, text } = await keelson('up');
  other.close();
  expect(code).toBe(1);
  expect(text).toContain(
    'Port 16686 of 127.0.0.1, for jaeger, is taken. Stop what has it, or set JAEGER_PORT to another.',
  );
  expect(text).toContain(`Missing or empty in ${secrets}: ${alertSecrets().toSorted().join(', ')}.`);
  expect(await running()).toEqual([]);
});

test('starts everything, waits until it is healthy, and says where it is but not the password', async () => {
  for (const name of alertSecrets()) {
    writeFileSync(join(secrets, name), 'http://host.docker.internal:9/', { mode: 0o600 });
  }
  const { code, stdout, text } = await keelson('up', '--json');
  expect(code, text).toBe(0);
  const report = JSON.parse(stdout) as Report;
  expect(report).toMatchObject({
    healthy: true,
    addresses: { prometheus: `http://127.0.0.1:${MOVED_PORT}`, jaeger: 'http://127.0.0.1:16686' },
    grafanaPasswordFile: join(secrets, 'grafana_admin_password'),
  });
  expect(await isUp(`${report.addresses['prometheus']}/-/ready`)).toBe(true);
  const password = readFileSync(report.grafanaPasswordFile, 'utf8').trim();
  expect(password).toHaveLength(24);
  expect(text).not.toContain(password);
});

test('says how it is, and finds nothing to complain of when it is started again', async () => {
  const status = await keelson('status');
  expect(status.code, status.text).toBe(0);
  expect(status.stdout).toMatch(/^volumes-watch +healthy$/m);
  expect((await keelson('up', '--json')).code).toBe(0);
});

test('of another home leaves it alone', async () => {
  const other = await keelson('down', '--home', join(world, 'other-home'));
  expect(other.code).toBe(1);
  expect(other.text).toContain(`that ${join(home, 'stack/docker-compose.yml')} started`);
  expect(await running()).toContain('prometheus');
});

test('says who is not healthy', async () => {
  await docker(world, 'stop', 'keelson-jaeger-1');
  const status = await keelson('status', '--json');
  expect(status.code).toBe(1);
  expect(JSON.parse(status.stdout)).toMatchObject({ healthy: false });
});

test('stops all of it; the data goes only with --volumes --yes', async () => {
  const volumes = async (): Promise<number> =>
    (await docker(world, 'volume', 'ls', '--quiet')).stdout.split('\n').filter((name) => name !== '').length;
  const before = await volumes();
  expect(before).toBeGreaterThan(4);
  const down = await keelson('down');
  expect(down.code, down.text).toBe(0);
  expect(await running()).toEqual([]);
  expect(await volumes()).toBe(before);
  expect((await keelson('down', '--volumes')).code).toBe(1);
  expect(await volumes()).toBe(before);
  expect((await keelson('down', '--volumes', '--yes')).code).toBe(0);
  expect(await volumes()).toBe(0);
  expect(existsSync(join(secrets, 'grafana_admin_password'))).toBe(true);
});
