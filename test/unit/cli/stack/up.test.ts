import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { missingSecrets, secretsNamedIn } from '../../../../src/cli/stack/stack-secrets.ts';
import { container, FakeDocker } from './fake-docker.ts';

const SHIPPED_SECRETS = secretsNamedIn(readFileSync('dashboards/alertmanager/alertmanager.yml', 'utf8'));

let docker: FakeDocker;

beforeEach(() => {
  docker = new FakeDocker();
});
afterEach(() => docker.remove());

const upCall = (): string | undefined => docker.heard().find((call) => / up /.test(call));

/** Something else on a port of this machine. */
async function listener(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe('keelson stack up', () => {
  beforeEach(() => docker.giveSecrets(...SHIPPED_SECRETS));

  test('starts the stack from a copy of its files, and says where everything is', async () => {
    const { code, stdout, stderr } = await docker.run('up');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^SERVICE +STATE\nprometheus +healthy\nsecrets-init +exited\n/);
    expect(stdout).toContain(`password in ${docker.secrets}/grafana_admin_password`);
    expect(upCall()).toBe(
      `compose --ansi never --project-name keelson --file ${docker.home}/stack/docker-compose.yml up --detach --wait --wait-timeout 600`,
    );
  });

  test('answers with --json in one document, without a secret in it', async () => {
    docker.publish({ 9090: 0 });
    const { stdout } = await docker.run('up', '--json');
    const answer = JSON.parse(stdout) as { readonly addresses: object };
    expect(answer).toMatchObject({
      project: 'keelson',
      healthy: true,
      files: `${docker.home}/stack`,
      grafanaPasswordFile: `${docker.secrets}/grafana_admin_password`,
    });
    expect(Object.keys(answer.addresses)).toEqual([
      'grafana',
      'jaeger',
      'prometheus',
      'alertmanager',
      'otlpHttp',
      'otlpGrpc',
    ]);
    expect(stdout).not.toContain('secret-0815');
  });

  test('reports the machine, and waits as long as it is asked to', async () => {
    await docker.run('up', '--host-metrics', '--wait', '30');
    expect(upCall()).toMatch(/docker-compose\.yml --profile host up --detach --wait --wait-timeout 30$/);
  });

  test('leaves the copy readable for the containers, whatever the mask of the shell, in a home that is closed', async () => {
    const mask = process.umask(0o077);
    try {
      await docker.run('up');
    } finally {
      process.umask(mask);
    }
    const mode = (path: string): string => (statSync(join(docker.home, path)).mode & 0o777).toString(8);
    expect(mode('stack/dashboards/prometheus/prometheus.yml')).toBe('644');
    expect(mode('stack/dashboards/prometheus')).toBe('755');
    expect(mode('.')).toBe('700');
    expect(mode('secrets')).toBe('700');
  });

  test('says that ports are open to others, where they are', async () => {
    docker.publish({}, '0.0.0.0');
    const { code, stderr } = await docker.run('up');
    expect(code).toBe(0);
    expect(stderr).toContain('Ports open on 0.0.0.0 (BIND_ADDR)');
  });

  test('that does not become healthy ends with 1, and names who is not and what was said', async () => {
    const after = [container('jaeger', 'unhealthy'), container('secrets-init', '', 'exited', 1)];
    docker.answer('containers-after-up', after.join('\n'));
    docker.answer('up-fails', ' Container keelson-jaeger-1  Waiting\nservice "secrets-init" failed\n');
    docker.answer('logs', 'Missing or empty in the folder of secrets: slack_url.\n');
    const { code, stdout, stderr } = await docker.run('up');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      'The stack is not healthy: jaeger is unhealthy, prometheus is missing, secrets-init is exited.',
    );
    expect(stderr).toContain('service "secrets-init" failed');
    expect(stderr).toContain('Missing or empty in the folder of secrets: slack_url.');
    expect(stderr).not.toContain('Waiting');
  });

  test('lets no variable steer compose to another file, profile or project', async () => {
    for (const name of ['COMPOSE_FILE', 'COMPOSE_PROFILES', 'COMPOSE_PROJECT_NAME'])
      docker.env[name] = 'other';
    docker.env['COMPOSE_ANSI'] = 'never';
    await docker.run('up');
    expect([...new Set(docker.heard('compose-variables'))]).toEqual(['COMPOSE_ANSI=never']);
  });

  test('restarts what runs when files of this version replaced those of the one before', async () => {
    await docker.run('up');
    const manifest = join(docker.home, 'stack', 'manifest.json');
    const scrapes = join(docker.home, 'stack', 'dashboards', 'prometheus', 'prometheus.yml');
    const old = '# of the version before\n';
    const record = JSON.parse(readFileSync(manifest, 'utf8')) as { files: Record<string, string> };
    record.files['dashboards/prometheus/prometheus.yml'] = createHash('sha256').update(old).digest('hex');
    writeFileSync(manifest, JSON.stringify(record));
    writeFileSync(scrapes, old);
    const { stderr } = await docker.run('up');
    expect(stderr).toBe(`Brought up to date in ${docker.home}/stack: dashboards/prometheus/prometheus.yml\n`);
    expect(docker.heard().findLast((call) => / up /.test(call))).toMatch(/--force-recreate$/);
  });
});

describe('before anything starts, keelson stack up says that', () => {
  test('there is no docker', async () => {
    docker.hide();
    const { code, stderr } = await docker.run('up');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'error: Cannot run `docker`: ENOENT.\nInstall Docker Engine and its compose plugin, or put `docker` on the PATH.\n',
    );
    expect(existsSync(docker.home)).toBe(false);
  });

  test('there is no compose plugin', async () => {
    docker.forget('compose-version');
    const { code, stderr } = await docker.run('up');
    expect(code).toBe(1);
    expect(stderr).toContain('Expected the compose plugin of `docker`, found none.');
  });

  test.each(['1.29.2', '2.25.9', 'v2.3.0', 'unknown'])('compose %s is too old', async (version) => {
    docker.answer('compose-version', `${version}\n`);
    const { code, stderr } = await docker.run('up');
    expect(code).toBe(1);
    expect(stderr).toContain(`Expected docker compose 2.26 or newer, found ${version}.`);
  });

  test('the daemon does not answer', async () => {
    docker.answer('no-daemon', 'Cannot connect to the Docker daemon at unix:///run/docker.sock.\n');
    const { code, stderr } = await docker.run('up', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: 'ERR_KEELSON_DOCKER',
        message:
          'The Docker daemon does not answer: Cannot connect to the Docker daemon at unix:///run/docker.sock.',
        hint: expect.stringContaining('Start it'),
      },
    });
  });

  test('ports are taken, with the variables that move them, and secrets are missing: all at once', async () => {
    const { server, port } = await listener();
    docker.publish({ 9090: port });
    const { code, stderr } = await docker.run('up');
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Port ${port} of 127.0.0.1, for prometheus, is taken. Stop what has it, or set PROMETHEUS_PORT to another.`,
    );
    expect(stderr).toContain(`Missing or empty in ${docker.secrets}: ${SHIPPED_SECRETS.join(', ')}.`);
    expect(upCall()).toBeUndefined();
  });

  test('an address is not this machine’s', async () => {
    docker.giveSecrets(...SHIPPED_SECRETS);
    docker.publish({}, '192.0.2.99');
    const { code, stderr } = await docker.run('up');
    expect(code).toBe(1);
    expect(stderr).toContain('of 192.0.2.99, for prometheus, cannot be opened (EADDRNOTAVAIL)');
    expect(upCall()).toBeUndefined();
  });

  test('a project of the same name was started from other files, which are not touched', async () => {
    docker.answer('config-files', '/srv/other/docker-compose.yml\n/srv/other/docker-compose.yml\n');
    for (const command of ['up', 'down', 'status']) {
      const { code, stderr } = await docker.run(command);
      expect(code).toBe(1);
      expect(stderr).toContain('a project `keelson` that /srv/other/docker-compose.yml started');
    }
    expect(docker.heard().filter((call) => / (up|down)( |$)/.test(call))).toEqual([]);
  });

  test('but not of ports that are its own already', async () => {
    docker.giveSecrets(...SHIPPED_SECRETS);
    const { server, port } = await listener();
    docker.publish({ 9090: port });
    docker.answer('containers', container('prometheus', 'healthy'));
    const { code } = await docker.run('up');
    server.close();
    expect(code).toBe(0);
  });
});

describe('the secrets that are needed', () => {
  test('are those that the configuration names outside of comments, once each', () => {
    const configuration = [
      'url_file: /run/secrets/b_url # and not /run/secrets/c_url',
      '# url_file: /run/secrets/d_url',
      '- url_file: /run/secrets/a-url',
      '- url_file: /run/secrets/b_url',
    ].join('\n');
    expect(secretsNamedIn(configuration)).toEqual(['a-url', 'b_url']);
    expect(SHIPPED_SECRETS.length).toBeGreaterThan(0);
  });

  test('are missing where there is no file', async () => {
    docker.giveSecrets(...SHIPPED_SECRETS);
    await docker.run('up');
    expect(missingSecrets(join(docker.home, 'stack'), docker.secrets)).toEqual([]);
    expect(missingSecrets(join(docker.home, 'stack'), join(docker.folder, 'nowhere'))).toEqual(
      SHIPPED_SECRETS,
    );
  });
});
