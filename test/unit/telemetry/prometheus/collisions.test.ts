import { beforeEach, describe, expect, test } from 'vitest';
import { collected } from '../../../support/metrics.ts';
import { exposed, warnings, write } from './expositions.ts';

beforeEach(() => {
  warnings.length = 0;
});

describe('metrics whose names collide', () => {
  test('become one where their type is the same, with the help of the first', async () => {
    const metrics = await collected((meter) => {
      meter.createCounter('a.b', { description: 'first' }).add(1, { k: 'x' });
      meter.createCounter('a_b', { description: 'second' }).add(2, { k: 'y' });
      meter.createCounter('a-b').add(4, { k: 'x' });
    });
    expect(write(metrics)).toContain(
      '# HELP a_b_total first\n# TYPE a_b_total counter\na_b_total{k="x"} 5\na_b_total{k="y"} 2\n',
    );
    expect(warnings).toEqual([]);
  });

  test('add up where two scopes measure the same: fetch and http both are http.client.request.duration', async () => {
    const options = { unit: 's', advice: { explicitBucketBoundaries: [1] } };
    const samples = await exposed((meter, otherMeter) => {
      meter.createHistogram('http.client.request.duration', options).record(0.5);
      otherMeter.createHistogram('http.client.request.duration', options).record(3);
    });
    expect(samples.map(({ value }) => value)).toEqual([1, 2, 3.5, 2]);
  });

  test('are left out, and said, where the type is another', async () => {
    const samples = await exposed((meter) => {
      meter.createGauge('a.b').record(1);
      meter.createHistogram('a_b').record(1);
      meter.createHistogram('wait').record(1);
      meter.createGauge('wait.count').record(1);
      meter.createGauge('target.info').record(1);
    });
    expect([...new Set(samples.map(({ name }) => name))]).toEqual([
      'a_b',
      'wait_bucket',
      'wait_sum',
      'wait_count',
    ]);
    expect(warnings).toEqual([
      expect.stringContaining(
        '`a_b` is not on the Prometheus endpoint: its name there, a_b, is taken by `a.b`',
      ),
      expect.stringContaining('`wait.count` is not on'),
      expect.stringContaining('taken by the resource'),
    ]);
  });

  test('keep one of two gauges, or of two histograms with other bounds, that have the same labels', async () => {
    const samples = await exposed((meter, otherMeter) => {
      meter.createGauge('g').record(1);
      otherMeter.createGauge('g').record(2);
      meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1] } }).record(1);
      otherMeter.createHistogram('h', { advice: { explicitBucketBoundaries: [2] } }).record(1);
    });
    expect(samples.map(({ name, value }) => [name, value])).toEqual([
      ['g', 1],
      ['h_bucket', 1],
      ['h_bucket', 1],
      ['h_sum', 1],
      ['h_count', 1],
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('Series of `g` are there twice'),
      expect.stringContaining('Series of `h` are there twice'),
    ]);
  });

  test('are left out, and said, where nothing of a name or key is left', async () => {
    const samples = await exposed((meter) => {
      meter.createGauge('温度').record(1);
      meter.createGauge('温度.hall').record(2);
      meter.createGauge('g').record(3, { 字符: 'x' });
      meter.createGauge('g').record(4, { ok: 'x' });
    });
    expect(samples.map(({ name, value }) => [name, value])).toEqual([
      ['hall', 2],
      ['g', 4],
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('no character of its name is an ASCII letter or digit'),
      expect.stringContaining('Points of `g` are not on the Prometheus endpoint'),
    ]);
  });
});
