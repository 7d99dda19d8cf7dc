import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { secretsNamedIn } from '../../../../src/cli/stack/stack-secrets.ts';
import { container, FakeDocker, HEALTHY } from './fake-docker.ts';

let docker: FakeDocker;

beforeEach(async () => {
  docker = new FakeDocker();
  docker.giveSecrets(...secretsNamedIn(readFileSync('dashboards/alertmanager/alertmanager.yml', 'utf8')));
  await docker.run('up');
  docker.answer('volumes', 'keelson_grafana-data\nkeelson_prometheus-data\n');
});
afterEach(() => docker.remove());

const downs = (): readonly string[] => docker.heard().filter((call) => / down( |$)/.test(call));

describe('keelson stack down', () => {
  test('stops every profile and keeps the data', async () => {
    const { code, stdout } = await docker.run('down');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Stopped 2 containers.\nKept keelson_grafana-data, keelson_prometheus-data.\n',
    });
    expect(downs()).toEqual([expect.stringMatching(/--profile \* down$/)]);
  });

  test('says what --volumes would remove, and stops nothing without --yes', async () => {
    const { code, stderr } = await docker.run('down', '--volumes');
    expect(code).toBe(1);
    expect(stderr).toContain(
      '--volumes removes for good: keelson_grafana-data, keelson_prometheus-data. Nothing was stopped.',
    );
    expect(downs()).toEqual([]);
  });

  test('removes the data with --volumes --yes', async () => {
    const { code, stdout } = await docker.run('down', '--volumes', '--yes', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      project: 'keelson',
      removed: ['prometheus', 'secrets-init'],
      volumesRemoved: ['keelson_grafana-data', 'keelson_prometheus-data'],
      volumesKept: [],
    });
  });

  test('of a home that started none has nothing to do', async () => {
    docker.env['KEELSON_HOME'] = `${docker.folder}/other`;
    const { code, stdout } = await docker.run('down');
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing to stop: no stack was started from');
    expect(downs()).toEqual([]);
  });
});

describe('keelson stack status', () => {
  test('is 0 when everything is healthy', async () => {
    docker.answer('containers', HEALTHY);
    const { code, stdout } = await docker.run('status');
    expect(code).toBe(0);
    expect(stdout).toContain('prometheus    healthy');
  });

  test.each([
    ['is unhealthy', container('jaeger', 'unhealthy')],
    ['is not healthy yet', container('jaeger', 'starting')],
    ['restarts again and again', container('jaeger', '', 'restarting')],
    ['ended with an error', container('secrets-init', '', 'exited', 1)],
    ['was stopped that should run', container('jaeger', '', 'exited', 0)],
  ])('is 1 when something %s', async (_, other) => {
    docker.answer('containers', `${HEALTHY}\n${other}`);
    const { code, stdout } = await docker.run('status', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ healthy: false });
  });

  test('is 1 when something is missing, but for what belongs to a profile', async () => {
    docker.answer('containers', container('secrets-init', '', 'exited'));
    const { code, stdout } = await docker.run('status');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^prometheus +missing$/m);
    expect(stdout).not.toContain('host-collector');
  });

  test('is 1 when nothing runs, and says what starts it', async () => {
    docker.forget('containers');
    const { code, stdout } = await docker.run('status');
    expect(code).toBe(1);
    expect(stdout).toContain('does not run. keelson stack up starts it.');
  });
});
