import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { COLLECTOR_RULES, type CollectorConfig, collectorProblems, merged } from './collector-rules.ts';

const FOLDER = join(import.meta.dirname, '../../../collector');
const read = (file: string): CollectorConfig =>
  parse(readFileSync(join(FOLDER, file), 'utf8')) as CollectorConfig;
const config = read('config.yaml');
const overlays = readdirSync(join(FOLDER, 'overlays')).filter((file) => !file.startsWith('jaeger'));
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

describe('the Collector', () => {
  test.each(['config.yaml', 'agent.yaml'])('keeps every rule in %s', (file) => {
    expect(collectorProblems(read(file))).toEqual([]);
  });

  test.each(overlays)('keeps them with %s over it', (file) => {
    expect(collectorProblems(merged(config, read(`overlays/${file}`)) as CollectorConfig)).toEqual([]);
  });

  test('takes the same credentials out everywhere', () => {
    expect(read('agent.yaml').processors?.['transform/redact']).toEqual(
      config.processors?.['transform/redact'],
    );
  });

  test('says in its README what every file is for', () => {
    const files = [...readdirSync(FOLDER), ...readdirSync(join(FOLDER, 'overlays'))];
    const configurations = files.filter((file) => file.endsWith('.yaml'));
    expect(
      configurations.filter(
        (file) => !readme.includes(`\`${file}\``) && !readme.includes(`\`overlays/${file}\``),
      ),
    ).toEqual([]);
  });
});

describe('an overlay', () => {
  test('merges maps and replaces lists, as the Collector does', () => {
    expect(merged({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3] }, e: 2 })).toEqual({
      a: { b: 1, c: [3] },
      d: 1,
      e: 2,
    });
  });
});

describe('the check', () => {
  const pipelines = (traces: Partial<CollectorConfig['service']['pipelines'][string]>) => ({
    service: { pipelines: { traces } },
  });
  const planted: Readonly<Record<string, unknown>> = {
    'memory is limited before anything else': pipelines({
      processors: ['transform/redact', 'memory_limiter'],
    }),
    'spans and log records lose their credentials before they leave': pipelines({
      processors: ['memory_limiter'],
    }),
    'no batch processor holds what a crash would lose': pipelines({
      processors: ['memory_limiter', 'transform/redact', 'batch'],
    }),
    'queues are on disk, count items, and give up on nothing': {
      exporters: { 'otlp_grpc/jaeger': { sending_queue: { sizer: 'requests' } } },
    },
    'span metrics see every span': pipelines({
      processors: ['memory_limiter', 'transform/redact', 'tail_sampling'],
    }),
    'something counts the spans where span metrics are made': pipelines({ exporters: ['otlp_grpc/jaeger'] }),
    'traces reach a backend': pipelines({ exporters: ['span_metrics'] }),
    'pages of other origins cannot send': {
      receivers: { otlp: { protocols: { http: { cors: { allowed_origins: ['*'] } } } } },
    },
    'the names of its own metrics are fixed': { service: { telemetry: { metrics: { readers: [] } } } },
  };

  test('has a planted violation for every rule', () => {
    expect(Object.keys(planted).toSorted()).toEqual(Object.keys(COLLECTOR_RULES).toSorted());
  });

  test.each(Object.entries(planted))('reports that this is broken: %s', (rule, change) => {
    const rules = collectorProblems(merged(config, change) as CollectorConfig).map(
      (each) => each.split(': ')[0],
    );
    expect(rules).toEqual([rule]);
  });
});
