import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Home } from '../../../../src/storage/index.ts';
import { readEnvironment } from '../../../../src/telemetry/environment/environment.ts';
import type { EnvironmentSettings } from '../../../../src/telemetry/environment/environment.ts';
import { ENVIRONMENT } from '../../../../src/telemetry/environment/table.ts';
import { createWarner } from '../../../../src/telemetry/warnings/warner.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

interface Read {
  readonly settings: EnvironmentSettings;
  readonly warnings: readonly string[];
}

function read(env: Readonly<Record<string, string>>): Read {
  const warnings: string[] = [];
  const settings = readEnvironment(
    env,
    createWarner(new FakeClock(), (line) => warnings.push(line)),
  );
  return { settings, warnings };
}

/** What proves that a variable does what the table says: a value, and where it shows. */
interface Proof {
  readonly value: string;
  readonly look: (settings: EnvironmentSettings) => unknown;
  readonly expected: unknown;
  /** A value that cannot be used: it must give one warning and the default. */
  readonly bad?: string;
  /** Whether the good value gives a warning too. */
  readonly warns?: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'keelson-env-'));
const pem = join(folder, 'some.pem');
writeFileSync(pem, 'PEM');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (buffer: Buffer | undefined): string | undefined => buffer?.toString();

const otlpProofs = Object.fromEntries(
  (['', 'TRACES_', 'METRICS_', 'LOGS_'] as const).flatMap((prefix) => {
    const signal = prefix === 'METRICS_' ? 'metrics' : prefix === 'LOGS_' ? 'logs' : 'traces';
    const general = prefix === '';
    const proofs: Readonly<Record<string, Proof>> = {
      ENDPOINT: {
        value: 'http://collector:9/base',
        look: (s) => s.otlp[signal].url,
        expected: general ? 'http://collector:9/base/v1/traces' : 'http://collector:9/base',
        bad: 'collector:4318',
      },
      HEADERS: { value: 'a=b%20c', look: (s) => s.otlp[signal].headers, expected: { a: 'b c' } },
      TIMEOUT: { value: '123', look: (s) => s.otlp[signal].timeoutMs, expected: 123, bad: '-1' },
      COMPRESSION: { value: 'gzip', look: (s) => s.otlp[signal].compression, expected: 'gzip', bad: 'zstd' },
      CERTIFICATE: {
        value: pem,
        look: (s) => text(s.otlp[signal].tls.ca),
        expected: 'PEM',
        bad: '/nowhere.pem',
      },
      CLIENT_KEY: {
        value: pem,
        look: (s) => text(s.otlp[signal].tls.key),
        expected: 'PEM',
        bad: '/nowhere.pem',
      },
      CLIENT_CERTIFICATE: {
        value: pem,
        look: (s) => text(s.otlp[signal].tls.cert),
        expected: 'PEM',
        bad: '/nowhere.pem',
      },
      PROTOCOL: {
        value: 'http/protobuf',
        look: (s) => s.otlp[signal].url,
        expected: `http://localhost:4318/v1/${signal}`,
        bad: 'grpc',
      },
    };
    return Object.entries(proofs).map(([suffix, proof]) => [`OTEL_EXPORTER_OTLP_${prefix}${suffix}`, proof]);
  }),
);

const batch = (prefix: 'BSP' | 'BLRP', key: 'spanBatch' | 'logBatch'): Record<string, Proof> => ({
  [`OTEL_${prefix}_SCHEDULE_DELAY`]: {
    value: '7',
    look: (s) => s[key].scheduledDelayMillis,
    expected: 7,
    bad: 'soon',
  },
  [`OTEL_${prefix}_MAX_QUEUE_SIZE`]: {
    value: '7',
    look: (s) => s[key].maxExportBatchSize,
    expected: 7,
    bad: '0',
  },
  [`OTEL_${prefix}_MAX_EXPORT_BATCH_SIZE`]: {
    value: '7',
    look: (s) => s[key].maxExportBatchSize,
    expected: 7,
    bad: '1.5',
  },
});

const PROOFS: Readonly<Record<string, Proof>> = {
  OTEL_SDK_DISABLED: { value: 'TRUE', look: (s) => s.disabled, expected: true, bad: 'yes' },
  OTEL_RESOURCE_ATTRIBUTES: {
    value: 'a=1,b=%C3%BC',
    look: (s) => s.resourceAttributes,
    expected: { a: '1', b: 'ü' },
  },
  OTEL_SERVICE_NAME: { value: 'shop', look: (s) => s.serviceName, expected: 'shop' },
  OTEL_LOG_LEVEL: { value: 'ERROR', look: (s) => s.diagLevel, expected: 'error', bad: 'loud' },
  OTEL_PROPAGATORS: {
    value: 'tracecontext',
    look: (s) => s.propagators,
    expected: ['tracecontext'],
    bad: 'b3',
  },
  OTEL_TRACES_SAMPLER: {
    value: 'always_off',
    look: (s) => s.sampler.name,
    expected: 'always_off',
    bad: 'xray',
  },
  OTEL_TRACES_SAMPLER_ARG: { value: '0.25', look: (s) => s.sampler.ratio, expected: 0.25, bad: '25' },
  OTEL_TRACES_EXPORTER: {
    value: 'console',
    look: (s) => s.exporters.traces,
    expected: ['console'],
    bad: 'zipkin',
  },
  OTEL_METRICS_EXPORTER: {
    value: 'prometheus',
    look: (s) => s.exporters.metrics,
    expected: ['prometheus'],
    bad: 'statsd',
  },
  OTEL_LOGS_EXPORTER: { value: 'none', look: (s) => s.exporters.logs, expected: [], bad: 'file' },
  ...batch('BSP', 'spanBatch'),
  ...batch('BLRP', 'logBatch'),
  OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeValueLengthLimit, s.logLimits.attributeValueLengthLimit],
    expected: [9, 9],
    bad: 'x',
  },
  OTEL_ATTRIBUTE_COUNT_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeCountLimit, s.logLimits.attributeCountLimit],
    expected: [9, 9],
    bad: 'x',
  },
  OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeValueLengthLimit, s.logLimits.attributeValueLengthLimit],
    expected: [9, Number.POSITIVE_INFINITY],
    bad: 'x',
  },
  OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeCountLimit, s.logLimits.attributeCountLimit],
    expected: [9, 128],
    bad: 'x',
  },
  OTEL_SPAN_EVENT_COUNT_LIMIT: {
    value: '9',
    look: (s) => s.spanLimits.eventCountLimit,
    expected: 9,
    bad: 'x',
  },
  OTEL_SPAN_LINK_COUNT_LIMIT: { value: '9', look: (s) => s.spanLimits.linkCountLimit, expected: 9, bad: 'x' },
  OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: {
    value: '9',
    look: (s) => s.spanLimits.attributePerEventCountLimit,
    expected: 9,
    bad: 'x',
  },
  OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: {
    value: '9',
    look: (s) => s.spanLimits.attributePerLinkCountLimit,
    expected: 9,
    bad: 'x',
  },
  OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeValueLengthLimit, s.logLimits.attributeValueLengthLimit],
    expected: [Number.POSITIVE_INFINITY, 9],
    bad: 'x',
  },
  OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT: {
    value: '9',
    look: (s) => [s.spanLimits.attributeCountLimit, s.logLimits.attributeCountLimit],
    expected: [128, 9],
    bad: 'x',
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    value: '500',
    look: (s) => [s.metricIntervalMs, s.metricTimeoutMs],
    expected: [500, 500],
    bad: '0',
  },
  OTEL_METRIC_EXPORT_TIMEOUT: { value: '500', look: (s) => s.metricTimeoutMs, expected: 500, bad: '0' },
  ...otlpProofs,
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: {
    value: 'delta',
    look: (s) => s.temporality,
    expected: 'delta',
    bad: 'both',
    warns: true,
  },
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: {
    value: 'base2_exponential_bucket_histogram',
    look: (s) => s.histogram,
    expected: 'base2_exponential_bucket_histogram',
    bad: 'linear',
  },
  OTEL_METRICS_EXEMPLAR_FILTER: {
    value: 'always_off',
    look: (s) => s.exemplarFilter,
    expected: 'always_off',
    bad: 'sometimes',
  },
  OTEL_EXPORTER_PROMETHEUS_HOST: { value: '::1', look: (s) => s.prometheus.host, expected: '::1' },
  OTEL_EXPORTER_PROMETHEUS_PORT: { value: '0', look: (s) => s.prometheus.port, expected: 0, bad: '70000' },
  OTEL_NODE_RESOURCE_DETECTORS: {
    value: 'host,os',
    look: (s) => s.detectors,
    expected: ['host', 'os'],
    bad: 'aws',
  },
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: {
    value: 'http, PG,',
    look: (s) => s.instrumentations.enabled,
    expected: ['http', 'pg'],
  },
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: {
    value: 'http',
    look: (s) => s.instrumentations.disabled,
    expected: ['http'],
  },
  KEELSON_HOME: { value: '/k', look: () => new Home({ env: { KEELSON_HOME: '/k' } }).path, expected: '/k' },
  KEELSON_TELEMETRY_FILES: { value: 'false', look: (s) => s.files, expected: false, bad: 'off' },
};

describe('the table of variables', () => {
  test('names each variable once', () => {
    const names = ENVIRONMENT.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('has a proof for every variable that does something, and none for another', () => {
    const doing = ENVIRONMENT.filter(({ answer }) => answer !== 'refused').map(({ name }) => name);
    expect(Object.keys(PROOFS).sort()).toEqual(doing.sort());
  });

  test('gives no warning and a default for each where nothing is set', () => {
    const { settings, warnings } = read({});
    expect(warnings).toEqual([]);
    expect(settings).toMatchObject({
      disabled: false,
      propagators: ['tracecontext', 'baggage'],
      sampler: { name: 'parentbased_always_on' },
      exporters: { traces: ['otlp'], metrics: ['otlp', 'prometheus'], logs: ['otlp'] },
      otlp: { traces: { url: 'http://localhost:4318/v1/traces', timeoutMs: 10_000, compression: 'none' } },
      temporality: 'cumulative',
      prometheus: { host: '127.0.0.1', port: 9_464 },
      files: true,
    });
  });

  const refused = ENVIRONMENT.filter(({ answer }) => answer === 'refused').map(({ name }) => name);
  test.each(refused)('%s is refused with one warning, and changes nothing', (name) => {
    const { settings, warnings } = read({ [name]: 'true' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${name} has no effect`);
    expect(settings).toEqual(read({}).settings);
  });

  test.each(Object.entries(PROOFS))(
    '%s does what the table says',
    (name, { value, look, expected, warns }) => {
      const { settings, warnings } = read({ [name]: value });
      expect(look(settings)).toEqual(expected);
      expect(warnings).toHaveLength(warns === true ? 1 : 0);
    },
  );

  const bad = Object.entries(PROOFS).flatMap(([name, proof]) =>
    proof.bad === undefined ? [] : [{ name, value: proof.bad, look: proof.look }],
  );
  test.each(bad)('$name=$value gives one warning that names it, and the default', ({ name, value, look }) => {
    const { settings, warnings } = read({ [name]: value });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(name);
    expect(look(settings)).toEqual(look(read({}).settings));
  });

  test('treats an empty variable as absent', () => {
    expect(read(Object.fromEntries(ENVIRONMENT.map(({ name }) => [name, '']))).warnings).toEqual([]);
  });

  test('lets the variable of a signal win over the general one, and merges the headers', () => {
    const { settings } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1/',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://b:2/own',
      OTEL_EXPORTER_OTLP_HEADERS: 'x=1,y=2',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'y=3',
    });
    expect(settings.otlp.traces).toMatchObject({ url: 'http://a:1/v1/traces', headers: { x: '1', y: '2' } });
    expect(settings.otlp.logs).toMatchObject({ url: 'http://b:2/own', headers: { x: '1', y: '3' } });
  });

  test.each([
    'Authorization: Bearer hunter2',
    'x=1,hunter2',
    'Authorization: Bearer aHVudGVyMg==',
    'a=b%0Ahunter2',
  ])(
    'says once that part of the headers is none, and never what it holds: %s',
    (OTEL_EXPORTER_OTLP_HEADERS) => {
      const { warnings, settings } = read({ OTEL_EXPORTER_OTLP_HEADERS });
      expect(new Set(warnings).size).toBe(1);
      expect(warnings[0]).toContain('OTEL_EXPORTER_OTLP_HEADERS to be a list of key=value');
      expect(warnings.join()).not.toMatch(/hunter2|aHVudGVyMg|Bearer a/);
      expect(Object.keys(settings.otlp.traces.headers)).toEqual(
        OTEL_EXPORTER_OTLP_HEADERS.startsWith('x=') ? ['x'] : [],
      );
    },
  );

  test.each(['ftp://user:hunter2@host/x?key=hunter2', 'user:hunter2@host:4318', 'hunter2@host'])(
    'never shows a password that an endpoint holds: %s',
    (OTEL_EXPORTER_OTLP_ENDPOINT) => {
      const { warnings } = read({ OTEL_EXPORTER_OTLP_ENDPOINT });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain('with its scheme, such as http://localhost:4318');
      expect(warnings[0]).not.toContain('hunter2');
    },
  );
});
