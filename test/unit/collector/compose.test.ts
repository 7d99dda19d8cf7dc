import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Compose, COMPOSE_RULES, composeProblems, type ComposeService } from './compose-rules.ts';

const ROOT = join(import.meta.dirname, '../../..');
const compose = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as Compose;
const exists = (path: string): boolean => existsSync(join(ROOT, path));

/** The file with one thing about Prometheus changed. */
function withService(change: Partial<ComposeService>): Compose {
  return {
    ...compose,
    services: { ...compose.services, prometheus: { ...compose.services['prometheus'], ...change } },
  };
}

describe('docker-compose.yml', () => {
  test('keeps every rule for every service', () => {
    expect(composeProblems(compose, exists)).toEqual([]);
  });

  test('has the stack, and the demo and the machine as profiles', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual([
      'alertmanager',
      'demo',
      'grafana',
      'host-collector',
      'jaeger',
      'otel-collector',
      'prometheus',
      'secrets-init',
      'volumes-init',
      'volumes-watch',
    ]);
    const profiles = Object.entries(compose.services).flatMap(([name, service]) =>
      (service.profiles ?? []).map((profile) => `${name}: ${profile}`),
    );
    expect(profiles.toSorted()).toEqual(['demo: demo', 'host-collector: host']);
  });

  test('takes secrets from a folder outside of version control, which it does not make itself', () => {
    expect(compose.services['secrets-init']?.volumes).toContainEqual({
      type: 'bind',
      source: '${KEELSON_SECRETS:-./.keelson/secrets}',
      target: '/secrets',
      bind: { create_host_path: false },
    });
  });

  test('opens no API of Prometheus to pages of other origins, and keeps exemplars', () => {
    const { command } = compose.services['prometheus'] as { readonly command: readonly string[] };
    expect(command).toContain('--web.cors.origin=^$$');
    expect(command).toContain('--enable-feature=exemplar-storage');
  });

  test('bounds what Prometheus keeps, and turns its OTLP receiver on', () => {
    const { command } = compose.services['prometheus'] as ComposeService & {
      readonly command: readonly string[];
    };
    const flags = command.map((flag) => flag.split('=')[0]);
    expect(flags).toEqual(
      expect.arrayContaining([
        '--storage.tsdb.retention.time',
        '--storage.tsdb.retention.size',
        '--web.enable-otlp-receiver',
      ]),
    );
    expect(flags).not.toContain('--web.enable-admin-api');
    expect(flags).not.toContain('--web.enable-lifecycle');
  });

  test('mounts Prometheus’ volume where the image declares one, so that `down` leaks none', () => {
    const volumes = compose.services['prometheus']?.volumes ?? [];
    expect(volumes).toContainEqual(
      expect.objectContaining({ source: 'prometheus-data', target: '/prometheus' }),
    );
  });
});

describe('the check', () => {
  const planted: Readonly<Record<string, Partial<ComposeService>>> = {
    'image is a variable with a pinned default': { image: '${PROMETHEUS_IMAGE:-prom/prometheus:latest}' },
    'ports are on loopback': { ports: ['9090:9090'] },
    'memory is limited': { mem_limit: '' },
    'Go is told of the limit, with room above': { mem_limit: '512m', environment: { GOMEMLIMIT: '512MiB' } },
    'file system is read only': { read_only: false },
    'capabilities are dropped': { cap_add: ['NET_ADMIN'] },
    'no new privileges': { security_opt: [] },
    'root only without a network': { user: '0:0' },
    'health check without a shell': { healthcheck: { test: ['CMD-SHELL', 'curl localhost'] } },
    'nobody is let in without a password': { environment: { GF_AUTH_ANONYMOUS_ENABLED: 'true' } },
    'bind mounts exist and are read only': { volumes: ['./dashboards/nothing.yml:/etc/nothing.yml:ro'] },
    'named volumes are declared and given to the user': {
      volumes: [{ type: 'volume', source: 'new-data', target: '/data' }],
    },
    'whether its volumes can be written is watched': {
      volumes: [{ type: 'volume', source: 'demo-data', target: '/data' }],
    },
    'nothing starts before secrets and volumes are there': {
      depends_on: { 'secrets-init': { condition: 'service_completed_successfully' } },
    },
  };

  test('has a planted violation for every rule', () => {
    expect(Object.keys(planted).toSorted()).toEqual(Object.keys(COMPOSE_RULES).toSorted());
  });

  test.each(Object.entries(planted))('reports that this is broken: %s', (rule, change) => {
    expect(composeProblems(withService(change), exists)).toContain(`prometheus: ${rule}`);
  });

  test('reports a Collector that is not told of its limit', () => {
    const change = { image: compose.services['otel-collector']?.image ?? '', environment: {} };
    expect(composeProblems(withService(change), exists)).toEqual([
      'prometheus: Go is told of the limit, with room above',
    ]);
  });

  test.each([
    [
      'an image without a variable',
      { image: 'prom/prometheus:v3.14.0' },
      'image is a variable with a pinned default',
    ],
    [
      'an image by its major only',
      { image: '${DEMO_IMAGE:-node:24}' },
      'image is a variable with a pinned default',
    ],
    [
      'a password in the file',
      { environment: { GF_SECURITY_ADMIN_PASSWORD: 'admin' } },
      'nobody is let in without a password',
    ],
    [
      'a bind mount that can be written to',
      { volumes: ['./dashboards:/etc/x'] },
      'bind mounts exist and are read only',
    ],
    [
      'a bind mount that can be written to, in the long form',
      { volumes: [{ type: 'bind', source: './dashboards', target: '/etc/x' }] },
      'bind mounts exist and are read only',
    ],
  ])('reports %s', (_, change, rule) => {
    expect(composeProblems(withService(change), exists)).toEqual([`prometheus: ${rule}`]);
  });
});
