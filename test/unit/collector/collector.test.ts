import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BATCH_RULES, bytesOnTheirWay, fitsNext, refusesAbove } from './batch-rules.ts';
import { COLLECTOR_RULES, type CollectorConfig, collectorProblems, merged } from './collector-rules.ts';
import type { Compose } from './compose-rules.ts';

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

  test.each(['config.yaml', 'agent.yaml', 'host.yaml'])('sends batches that fit with %s', (file) => {
    expect(collectorProblems(read(file), BATCH_RULES)).toEqual([]);
  });

  test.each(overlays)('sends batches that fit with %s over it', (file) => {
    const over = merged(config, read(`overlays/${file}`)) as CollectorConfig;
    expect(collectorProblems(over, BATCH_RULES)).toEqual([]);
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

describe('the largest batch', () => {
  const gateway = merged(config, read('overlays/gateway.yaml')) as CollectorConfig;
  const jaegerOnDisk = merged(read('jaeger.yaml'), read('overlays/jaeger-badger.yaml')) as CollectorConfig;
  const hops: readonly (readonly [string, string, string, CollectorConfig, CollectorConfig])[] = [
    ['agent.yaml', 'otlp_grpc/gateway', 'a gateway', read('agent.yaml'), gateway],
    ['config.yaml', 'otlp_grpc/jaeger', 'Jaeger', config, read('jaeger.yaml')],
    ['a gateway', 'otlp_grpc/jaeger', 'Jaeger with storage on disk', gateway, jaegerOnDisk],
    ['host.yaml', 'otlp_grpc', 'config.yaml', read('host.yaml'), config],
  ];

  test.each(hops)('of %s by %s is one that %s takes', (_, exporter, __, sender, receiver) => {
    expect(fitsNext(sender, exporter, receiver)).toBe(true);
  });

  test.each([
    ['a receiver with the default limit', {}, { max_recv_msg_size_mib: undefined }],
    ['a batch without a maximum', { max_size: 0 }, {}],
    ['a batch that is bounded by its items only', { sizer: 'items', max_size: 200 }, {}],
    ['a receiver that takes a little less', {}, { max_recv_msg_size_mib: 24 }],
  ])('would be reported with %s', (_, batch, grpc) => {
    const exporter = 'otlp_grpc/jaeger';
    const sender = merged(config, { exporters: { [exporter]: { sending_queue: { batch } } } });
    const receiver = merged(read('jaeger.yaml'), { receivers: { otlp: { protocols: { grpc } } } });
    expect(fitsNext(sender as CollectorConfig, exporter, receiver as CollectorConfig)).toBe(false);
  });

  test('is looked at for every exporter that sends to another of these files', () => {
    const files = ['config.yaml', 'agent.yaml', 'host.yaml', ...overlays.map((file) => `overlays/${file}`)];
    const found = files.flatMap((file) =>
      Object.keys(read(file).exporters ?? {}).filter((name) => name.startsWith('otlp_grpc')),
    );
    expect(new Set(found)).toEqual(new Set(hops.map(([, exporter]) => exporter)));
  });
});

describe('the batches on their way', () => {
  const text = readFileSync(join(FOLDER, '../docker-compose.yml'), 'utf8');
  const { services } = parse(text, { merge: true }) as Compose;
  const containers: readonly (readonly [string, string])[] = [
    ['config.yaml', 'otel-collector'],
    ['host.yaml', 'host-collector'],
  ];

  test.each(containers)('of %s leave room in the memory of %s', (file, service) => {
    const limit = refusesAbove(read(file), services[service]?.mem_limit);
    expect(bytesOnTheirWay(read(file))).toBeLessThan(limit);
  });

  test('of agent.yaml leave room in a container as large as that of config.yaml', () => {
    const agent = read('agent.yaml');
    expect(bytesOnTheirWay(agent)).toBeLessThan(refusesAbove(agent, services['otel-collector']?.mem_limit));
  });

  test('would be reported if as many are sent as by default', () => {
    const sending_queue = { num_consumers: undefined };
    const over = merged(config, { exporters: { 'otlp_grpc/jaeger': { sending_queue } } }) as CollectorConfig;
    expect(bytesOnTheirWay(over)).toBeGreaterThan(refusesAbove(over, services['otel-collector']?.mem_limit));
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

  const plantedBatches: Readonly<Record<string, readonly object[]>> = {
    'a batch has a maximum': [
      { batch: { max_size: 0 } },
      { batch: { max_size: undefined } },
      { batch: { sizer: 'items', min_size: 8192, max_size: 8192 } },
      { batch: undefined },
    ],
    'every item that the receiver takes fits into a batch': [{ batch: { max_size: 3_000_000 } }],
  };

  test.each(Object.entries(plantedBatches))('reports of batches that this is broken: %s', (rule, changes) => {
    for (const sending_queue of changes) {
      const over = merged(config, { exporters: { 'otlp_grpc/jaeger': { sending_queue } } });
      expect(collectorProblems(over as CollectorConfig, BATCH_RULES)).toEqual([`${rule}: otlp_grpc/jaeger`]);
    }
  });

  test('has planted violations for every rule about batches', () => {
    expect(Object.keys(plantedBatches)).toEqual(Object.keys(BATCH_RULES));
  });

  test('reports a receiver that takes an item that does not fit into a batch', () => {
    const http = { max_request_body_size: 64 * 2 ** 20 };
    const over = merged(config, { receivers: { otlp: { protocols: { http } } } });
    expect(collectorProblems(over as CollectorConfig, BATCH_RULES)).toHaveLength(2);
  });

  test.each(Object.entries(planted))('reports that this is broken: %s', (rule, change) => {
    const rules = collectorProblems(merged(config, change) as CollectorConfig).map(
      (each) => each.split(': ')[0],
    );
    expect(rules).toEqual([rule]);
  });
});
