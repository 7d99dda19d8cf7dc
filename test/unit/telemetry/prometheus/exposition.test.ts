import type { Attributes } from '@opentelemetry/api';
import { beforeEach, describe, expect, test } from 'vitest';
import { exposition, SERIES_IN_A_SLICE } from '../../../../src/telemetry/prometheus/exposition.ts';
import { readExposition } from '../../../support/exposition.ts';
import { collected } from '../../../support/metrics.ts';
import { exposed, warn, warnings, write } from './expositions.ts';

beforeEach(() => {
  warnings.length = 0;
});

describe('Prometheus text', () => {
  test('has type, help, name and labels of each kind of instrument', async () => {
    const metrics = await collected(
      (meter) => {
        meter.createCounter('calls', { unit: '{call}', description: 'All calls.' }).add(2, { 'a.b': 'x' });
        meter.createUpDownCounter('memory', { unit: 'By' }).add(-5);
        meter.createGauge('cpu.utilization', { unit: '1' }).record(0.5);
        const histogram = meter.createHistogram('wait', {
          unit: 's',
          advice: { explicitBucketBoundaries: [0.5, 1] },
        });
        for (const value of [0.25, 0.5, 0.75, 4]) histogram.record(value);
      },
      { resource: { 'service.name': 'shop', 'service.instance.id': 'one', 'process.pid': 7 } },
    );
    expect(write(metrics)).toBe(
      [
        '# HELP target_info Target metadata',
        '# TYPE target_info gauge',
        'target_info{process_pid="7",service_instance_id="one",service_name="shop"} 1',
        '# HELP calls_total All calls.',
        '# TYPE calls_total counter',
        'calls_total{a_b="x",service_instance_id="one",service_name="shop"} 2',
        '# TYPE memory_bytes gauge',
        'memory_bytes{service_instance_id="one",service_name="shop"} -5',
        '# TYPE cpu_utilization_ratio gauge',
        'cpu_utilization_ratio{service_instance_id="one",service_name="shop"} 0.5',
        '# TYPE wait_seconds histogram',
        'wait_seconds_bucket{service_instance_id="one",service_name="shop",le="0.5"} 2',
        'wait_seconds_bucket{service_instance_id="one",service_name="shop",le="1"} 3',
        'wait_seconds_bucket{service_instance_id="one",service_name="shop",le="+Inf"} 4',
        'wait_seconds_sum{service_instance_id="one",service_name="shop"} 5.5',
        'wait_seconds_count{service_instance_id="one",service_name="shop"} 4',
        '',
      ].join('\n'),
    );
  });

  test('writes what is no number, and very large and small ones', async () => {
    const samples = await exposed((meter) => {
      const gauge = meter.createGauge('g');
      const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, 5e-324, 0.1];
      for (const [index, value] of values.entries()) gauge.record(value, { n: index });
    });
    expect(samples.map(({ value }) => value)).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e300,
      5e-324,
      0.1,
    ]);
  });

  test('escapes what a label or a help text must not hold', async () => {
    const metrics = await collected((meter) => {
      const description = 'one\\two\n"three"';
      meter.createCounter('c', { description }).add(1, { text: 'a\\b"c\nd\r\u2028é' });
    });
    expect(write(metrics)).toContain('# HELP c_total one\\\\two\\n"three"\n');
    expect(write(metrics)).toContain('c_total{text="a\\\\b\\"c\\nd\r\u2028é"} 1\n');
    expect(write(metrics, 'openmetrics')).toContain('# HELP c one\\\\two\\n\\"three\\"\n');
    const [sample] = await exposed((meter) => meter.createCounter('c').add(1, { text: 'a\\b"c\nd' }));
    expect(sample?.labels['text']).toBe('a\\b"c\nd');
  });
});

describe('OpenMetrics', () => {
  test('has the unit, the family of a counter without `_total`, whole bounds with a fraction, and an end', async () => {
    const metrics = await collected(
      (meter) => {
        meter.createCounter('wait.time', { unit: 's', description: 'Waits.' }).add(2);
        meter
          .createHistogram('size', { unit: 'By', advice: { explicitBucketBoundaries: [-1, 0.5, 10] } })
          .record(3);
        meter.createGauge('bytes.held', { unit: 'By' }).record(1);
      },
      { resource: { 'service.name': 'shop' } },
    );
    expect(write(metrics, 'openmetrics')).toBe(
      [
        '# TYPE target info',
        '# HELP target Target metadata',
        'target_info{service_name="shop"} 1',
        '# TYPE wait_time_seconds counter',
        '# UNIT wait_time_seconds seconds',
        '# HELP wait_time_seconds Waits.',
        'wait_time_seconds_total{service_name="shop"} 2',
        '# TYPE size_bytes histogram',
        '# UNIT size_bytes bytes',
        'size_bytes_bucket{service_name="shop",le="-1.0"} 0',
        'size_bytes_bucket{service_name="shop",le="0.5"} 0',
        'size_bytes_bucket{service_name="shop",le="10.0"} 1',
        'size_bytes_bucket{service_name="shop",le="+Inf"} 1',
        'size_bytes_sum{service_name="shop"} 3',
        'size_bytes_count{service_name="shop"} 1',
        // The unit is not the end of the name: no UNIT line, which would be invalid.
        '# TYPE bytes_held gauge',
        'bytes_held{service_name="shop"} 1',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  test('shows a counter beside a gauge of its name as unknown: one family cannot be both', async () => {
    const metrics = await collected((meter) => {
      meter.createGauge('jobs').record(1);
      meter.createCounter('jobs').add(2);
    });
    expect(write(metrics, 'openmetrics')).toContain('# TYPE jobs_total unknown\njobs_total 2\n');
    expect(write(metrics)).toContain('# TYPE jobs_total counter\njobs_total 2\n');
    expect(readExposition(write(metrics, 'openmetrics'), 'openmetrics')).toHaveLength(3);
  });

  test('has for each bucket the newest exemplar that lies in it', async () => {
    const metrics = await collected((meter) => {
      const options = { unit: 's', advice: { explicitBucketBoundaries: [1, 2] } };
      for (const value of [0.5, 1.5, 9]) meter.createHistogram('wait', options).record(value, { k: 'v' });
    });
    const exemplar = (value: number, epochMs: number): object => ({
      value,
      epochMs,
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
    });
    const asked: unknown[] = [];
    const options = {
      format: 'openmetrics' as const,
      exemplars: (instrument: string, attributes: Attributes) => {
        asked.push([instrument, attributes]);
        return [exemplar(0.25, 1_000), exemplar(1, 2_500), exemplar(9, 1_700_000_000_123)] as never;
      },
      warn,
    };
    const [, family] = readExposition([...exposition(metrics, options)].join(''), 'openmetrics');
    expect(asked).toEqual([['wait', { k: 'v' }]]);
    const labels = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) };
    expect(family?.samples.map((sample) => sample.exemplar)).toEqual([
      { labels, value: 1, time: 2.5 },
      undefined,
      { labels, value: 9, time: 1_700_000_000.123 },
      undefined,
      undefined,
    ]);
    const text = [...exposition(metrics, { ...options, format: 'text' })].join('');
    expect(text).not.toContain('trace_id');
  });
});

describe('the labels of a series', () => {
  test('are its attributes and the promoted ones of the resource, of which an attribute wins', async () => {
    const [sample] = await exposed(
      (meter) => meter.createCounter('c').add(1, { 'service.version': 'mine', 'http.route': '/x' }),
      {
        resource: {
          'service.name': 'shop',
          'service.namespace': 'eu',
          'service.version': '1',
          'host.name': 'h',
          'deployment.environment.name': 'prod',
          'process.pid': 7,
        },
      },
    );
    expect(sample?.labels).toEqual({
      http_route: '/x',
      service_version: 'mine',
      service_name: 'shop',
      service_namespace: 'eu',
      deployment_environment_name: 'prod',
      host_name: 'h',
    });
  });

  test('are joined where keys collide, in the order of the keys', async () => {
    const [sample] = await exposed((meter) =>
      meter.createCounter('c').add(1, { 'http/route': 'b', 'http.route': 'a', http_route: 'c' }),
    );
    expect(sample?.labels).toEqual({ http_route: 'a;b;c' });
  });

  test('turn every kind of value into the text that Prometheus makes of it', async () => {
    const [sample] = await exposed((meter) =>
      meter.createCounter('c').add(1, {
        int: 7,
        big: 2 ** 60,
        float: 0.5,
        tiny: 1e-7,
        huge: 1e21,
        nan: Number.NaN,
        up: Number.POSITIVE_INFINITY,
        yes: true,
        list: ['a', 'b<c'],
        numbers: [1, 2.5],
        map: { b: 1, a: { d: 1, c: 2 } },
        bytes: new Uint8Array([1, 2, 255]),
        empty: '',
        nothing: undefined,
      }),
    );
    expect(sample?.labels).toEqual({
      int: '7',
      big: '1152921504606846976',
      float: '0.5',
      tiny: '1e-7',
      huge: '1e+21',
      nan: 'NaN',
      up: 'Infinity',
      yes: 'true',
      list: '["a","b\\u003cc"]',
      numbers: '[1,2.5]',
      map: '{"a":{"c":2,"d":1},"b":1}',
      bytes: 'AQL/',
    });
  });

  test('never hold a second `le` or a name', async () => {
    const samples = await exposed((meter) =>
      meter.createHistogram('h').record(1, { le: 'mine', __name__: 'other' }),
    );
    expect(samples.filter(({ labels }) => labels['le'] === 'mine')).toEqual([]);
    expect(samples.some(({ labels }) => '__name__' in labels)).toBe(false);
  });

  test('show the series that is past the limit of combinations', async () => {
    const samples = await exposed((meter) => {
      const counter = meter.createCounter('c');
      for (let index = 0; index < 2_005; index += 1) counter.add(1, { index });
    });
    expect(samples).toHaveLength(2_000);
    expect(samples.filter(({ labels }) => labels['otel_metric_overflow'] === 'true')).toHaveLength(1);
  });
});

describe('the slices', () => {
  test('are made of no more than a hundred series each, however large the metrics are', async () => {
    const metrics = await collected((meter) => {
      const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 2, 3] } });
      for (let index = 0; index < 1_950; index += 1) histogram.record(1, { index });
      for (let index = 0; index < 150; index += 1) meter.createCounter(`c${index}`).add(1);
    });
    const slices = [...exposition(metrics, { format: 'text', exemplars: () => [], warn })];
    const series = slices.map(
      (slice) => slice.split('\n').filter((line) => /^(h_count|c)/.test(line)).length,
    );
    expect(series.reduce((sum, count) => sum + count, 0)).toBe(2_100);
    expect(Math.max(...series)).toBe(SERIES_IN_A_SLICE);
    expect(readExposition(slices.join(''), 'text')).toHaveLength(152);
  });
});
