import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alertSecrets, Project } from './support/project.ts';

const PASSWORD = 'grafana_admin_password';
const GRAFANA = 472;
const ALERTMANAGER = 10_001;

let project: Project;

beforeEach(async () => {
  project = await Project.make();
});
afterEach(() => project.end());

/** Starts what comes before every other service. */
const begin = () => project.compose('up', '--detach', '--wait', 'volumes-watch');

const logs = async (): Promise<string> => (await project.compose('logs', 'secrets-init')).text;

test('Grafana’s password is made at the first start, for its reader only, and stays', async () => {
  const first = await begin();
  expect(first.code, first.text).toBe(0);
  const file = join(project.secrets, PASSWORD);
  const password = readFileSync(file, 'utf8').trim();
  expect(password).toMatch(/^[A-Za-z0-9+/]{24}$/);
  const owner = statSync(project.secrets);
  expect(statSync(file)).toMatchObject({ uid: owner.uid, gid: owner.gid });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await logs()).not.toContain(password);

  await project.compose('down');
  await begin();
  expect(readFileSync(file, 'utf8').trim()).toBe(password);
  expect(await logs()).not.toContain('Made');
});

test('each service gets its own secrets and no others', async () => {
  await begin();
  const files = async (volume: string): Promise<readonly string[]> => {
    const folder = await project.mountpoint(volume);
    return readdirSync(folder)
      .toSorted()
      .map((name) => {
        const { uid, mode } = statSync(join(folder, name));
        return `${name} ${uid} ${(mode & 0o777).toString(8)}`;
      });
  };
  expect(await files('grafana-secrets')).toEqual([`${PASSWORD} ${GRAFANA} 600`]);
  expect(await files('alertmanager-secrets')).toEqual(
    alertSecrets()
      .toSorted()
      .map((name) => `${name} ${ALERTMANAGER} 600`),
  );
});

test('a secret that changed is the new one after the next `up`, and one that nobody names is gone', async () => {
  await begin();
  writeFileSync(join(project.secrets, 'alert_webhook_url'), 'http://other.example/\n');
  const folder = await project.mountpoint('alertmanager-secrets');
  writeFileSync(join(folder, 'old_secret'), 'old');
  await begin();
  expect(readFileSync(join(folder, 'alert_webhook_url'), 'utf8')).toBe('http://other.example/\n');
  expect(existsSync(join(folder, 'old_secret'))).toBe(false);
});

test('a secret that is missing is said by name before anything else starts', async () => {
  rmSync(join(project.secrets, 'alert_webhook_url'));
  writeFileSync(join(project.secrets, 'watchdog_webhook_url'), '');
  const answer = await project.compose('up', '--detach', '--wait');
  expect(answer.code).not.toBe(0);
  expect(answer.text).toContain('service "secrets-init" didn\'t complete successfully: exit 1');
  expect(await logs()).toContain(
    'Missing or empty in the folder of secrets: alert_webhook_url watchdog_webhook_url. dashboards/README.md, "First start", says what they hold.',
  );
  const started = (await project.containers()).filter(({ state }) => state !== 'created');
  expect(started.map(({ service, state }) => `${service}: ${state}`)).toEqual(['secrets-init: exited']);
});

test('a folder of secrets that is not there is not made, and said', async () => {
  rmSync(project.secrets, { recursive: true });
  const answer = await project.compose('up', '--detach', '--wait');
  expect(answer.code).not.toBe(0);
  expect(answer.text).toContain(`bind source path does not exist: ${project.secrets}`);
  expect(existsSync(project.secrets)).toBe(false);
});
