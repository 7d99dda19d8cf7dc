import type { Attributes, Meter, MetricOptions } from '@opentelemetry/api';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exposition } from '../../src/telemetry/prometheus/exposition.ts';
import { readExposition } from '../support/exposition.ts';
import { collected } from '../support/metrics.ts';

/** Names that collide in all ways: with one another, with the endings of histograms, and with what the endpoint adds itself. */
const NAMES = [
  'jobs',
  'jobs.total',
  'jobs_count',
  'jobs.sum',
  'jobs/bucket',
  'jobs.created',
  'target.info',
  'target',
  '2nd',
  '温度',
  'größe',
  'wait.seconds',
];
const KEYS = ['a.b', 'a/b', 'a_b', 'le', '__name__', 'job', 'service.name', '', '字', '0', '__x', 'quantile'];

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\n', '"', '\\', '\\n', '\u2028', '\0', 'a"b\\c\nd'),
  fc.double(),
  fc.boolean(),
  fc.array(fc.string()),
);
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4 });
type Take = (amount: number, attributes: Attributes) => void;

const RECORD = {
  counter: (meter: Meter, name: string, options: MetricOptions): Take => {
    const counter = meter.createCounter(name, options);
    return (amount, attributes) => counter.add(amount, attributes);
  },
  updowncounter: (meter: Meter, name: string, options: MetricOptions): Take => {
    const counter = meter.createUpDownCounter(name, options);
    return (amount, attributes) => counter.add(amount, attributes);
  },
  gauge: (meter: Meter, name: string, options: MetricOptions): Take => {
    const gauge = meter.createGauge(name, options);
    return (amount, attributes) => gauge.record(amount, attributes);
  },
  histogram: (meter: Meter, name: string, options: MetricOptions): Take => {
    const histogram = meter.createHistogram(name, options);
    return (amount, attributes) => histogram.record(amount, attributes);
  },
};

const instrument = fc.record({
  name: fc.constantFrom(...NAMES),
  unit: fc.constantFrom('', '1', 's', 'By/s', '{job}', 'total', 'a b'),
  description: fc.string({ unit: 'binary' }),
  kind: fc.constantFrom(...(Object.keys(RECORD) as (keyof typeof RECORD)[])),
  isOther: fc.boolean(),
  points: fc.array(fc.record({ attributes, amount: fc.double({ noNaN: false }) }), { maxLength: 4 }),
});

type Instrument = typeof instrument extends fc.Arbitrary<infer T> ? T : never;

function record(meter: Meter, { name, unit, description, kind, points }: Instrument): void {
  const options = { unit, description };
  const take = RECORD[kind](meter, name, options);
  for (const point of points) take(point.amount, point.attributes);
}

describe('an exposition', () => {
  test('is valid in both formats, whatever the metrics are called and hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(instrument, { maxLength: 8 }), attributes, async (instruments, resource) => {
        const metrics = await collected(
          (meter, other) => {
            for (const each of instruments) record(each.isOther ? other : meter, each);
          },
          { resource },
        );
        for (const format of ['text', 'openmetrics'] as const) {
          const text = [...exposition(metrics, { format, exemplars: () => [], warn: () => {} })].join('');
          expect(() => readExposition(text, format)).not.toThrow();
        }
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['a family twice', '# TYPE a gauge\na 1\n# TYPE a gauge\na{b="c"} 1\n', 'A bad or second TYPE'],
    ['a series twice', '# TYPE a gauge\na{b="c",d="e"} 1\na{d="e",b="c"} 2\n', 'A series is there twice'],
    ['a label twice', '# TYPE a gauge\na{b="c",b="d"} 1\n', 'The label b is there twice'],
    ['a sample of another family', '# TYPE a gauge\nb 1\n', 'b is no sample of a'],
    ['a bad label', '# TYPE a gauge\na{b.c="d"} 1\n', 'Expected a quoted value'],
    ['an open quote', '# TYPE a gauge\na{b="c} 1\n', 'Expected a closing quote'],
    ['no number', '# TYPE a gauge\na Infinity\n', 'No number'],
    [
      'buckets that fall',
      '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_count 1\n',
      'fall',
    ],
    ['a wrong count', '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 2\n', 'all of its observations'],
    ['an exemplar of a gauge', '# TYPE a gauge\na 1 # {b="c"} 1\n', 'An exemplar at a'],
  ])('with %s is reported', (_, text, message) => {
    expect(() => readExposition(text, 'text')).toThrow(message);
  });

  test('without its end is reported', () => {
    expect(() => readExposition('# TYPE a gauge\na 1\n', 'openmetrics')).toThrow('The end is missing');
  });
});
