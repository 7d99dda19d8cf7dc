import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ENVIRONMENT } from '../../../src/telemetry/environment/table.ts';

const ROOT = join(import.meta.dirname, '../../..');
const yaml = (file: string): unknown => parse(readFileSync(join(ROOT, file), 'utf8'));

const string = { type: 'string', minLength: 1 };
const ajv = new Ajv({ allErrors: true });

const datasources = ajv.compile({
  type: 'object',
  required: ['apiVersion', 'datasources'],
  additionalProperties: false,
  properties: {
    apiVersion: { const: 1 },
    prune: { type: 'boolean' },
    datasources: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['name', 'uid', 'type', 'access', 'url', 'editable'],
        additionalProperties: false,
        properties: {
          name: string,
          uid: string,
          type: { enum: ['prometheus', 'jaeger', 'alertmanager'] },
          access: { const: 'proxy' },
          url: { type: 'string', pattern: '^http://[a-z-]+:[0-9]+$' },
          isDefault: { type: 'boolean' },
          editable: { const: false },
          jsonData: { type: 'object' },
        },
      },
    },
  },
});

const providers = ajv.compile({
  type: 'object',
  required: ['apiVersion', 'providers'],
  additionalProperties: false,
  properties: {
    apiVersion: { const: 1 },
    providers: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['name', 'type', 'options'],
        additionalProperties: false,
        properties: {
          name: string,
          folder: string,
          type: { const: 'file' },
          disableDeletion: { type: 'boolean' },
          allowUiUpdates: { const: false },
          updateIntervalSeconds: { type: 'integer' },
          options: { type: 'object', required: ['path'], properties: { path: string } },
        },
      },
    },
  },
});

interface Datasource {
  readonly uid: string;
  readonly url: string;
  readonly jsonData?: unknown;
}

const shipped = yaml('dashboards/provisioning/datasources/keelson.yaml') as {
  readonly datasources: readonly Datasource[];
};

/** What is wrong with references between data sources. */
function badReferences(all: readonly Datasource[]): readonly string[] {
  const uids = new Set(all.map(({ uid }) => uid));
  const text = JSON.stringify(all);
  const referred = [...text.matchAll(/"datasourceUid":"([^"]+)"/g)].map(([, uid]) => uid ?? '');
  const unescaped = /(?<!\$)\$(?!\{[A-Z_]+\})(\{|__)/.test(text)
    ? ['a single $ that provisioning would replace']
    : [];
  return [
    ...(uids.size === all.length ? [] : ['uid twice']),
    ...referred.filter((uid) => !uids.has(uid)),
    ...unescaped,
  ];
}

describe('Grafana’s provisioning', () => {
  test('of data sources has the right form', () => {
    datasources(shipped);
    expect(datasources.errors ?? []).toEqual([]);
    expect(badReferences(shipped.datasources)).toEqual([]);
  });

  test('of data sources reaches services that docker-compose.yml has', () => {
    const { services } = yaml('docker-compose.yml') as {
      readonly services: Readonly<Record<string, unknown>>;
    };
    const hosts = shipped.datasources.map(({ url }) => new URL(url).hostname);
    expect(hosts.filter((host) => !(host in services))).toEqual([]);
  });

  test('takes the interval of the metrics from the variable that the demo sends by, and its default from the product’s', () => {
    const { services } = yaml('docker-compose.yml') as {
      readonly services: Readonly<Record<string, { readonly environment: Readonly<Record<string, string>> }>>;
    };
    const [, seconds] =
      /^\$\{METRIC_INTERVAL_SECONDS:-(\d+)\}$/.exec(
        services['grafana']?.environment['METRIC_INTERVAL_SECONDS'] ?? '',
      ) ?? [];
    expect(services['demo']?.environment['OTEL_METRIC_EXPORT_INTERVAL']).toBe(
      `\${METRIC_INTERVAL_SECONDS:-${seconds}}000`,
    );
    expect(JSON.stringify(shipped)).toContain('"timeInterval":"${METRIC_INTERVAL_SECONDS}s"');
    const sending = ENVIRONMENT.find(({ name }) => name === 'OTEL_METRIC_EXPORT_INTERVAL');
    expect(sending?.effect).toBe(`milliseconds, default ${seconds}000`);
  });

  test('of dashboards has the right form and reads the folder that is mounted', () => {
    const document = yaml('dashboards/provisioning/dashboards/keelson.yaml') as {
      readonly providers: readonly { readonly options: { readonly path: string } }[];
    };
    providers(document);
    expect(providers.errors ?? []).toEqual([]);
    const { services } = yaml('docker-compose.yml') as {
      readonly services: { readonly grafana: { readonly volumes: readonly unknown[] } };
    };
    const [path] = document.providers.map(({ options }) => options.path);
    expect(services.grafana.volumes).toContain(`./dashboards/grafana:${path}:ro`);
    expect(existsSync(join(ROOT, 'dashboards/grafana/keelson-guards.json'))).toBe(true);
  });

  test('the checks report planted mistakes', () => {
    expect(datasources({ apiVersion: 2, datasources: [{ name: 'x' }] })).toBe(false);
    expect(providers({ apiVersion: 1, providers: [{ name: 'x', type: 'file', options: {} }] })).toBe(false);
    const [first] = shipped.datasources;
    const twice =
      first === undefined
        ? []
        : [
            { ...first, jsonData: {} },
            { ...first, jsonData: { datasourceUid: 'tempo', url: '${__value.raw}' } },
          ];
    expect(badReferences(twice)).toEqual([
      'uid twice',
      'tempo',
      'a single $ that provisioning would replace',
    ]);
  });
});
