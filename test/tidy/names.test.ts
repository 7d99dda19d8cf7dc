import { readFileSync, writeFileSync } from 'node:fs';
import type { Attributes, Meter } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  prometheusLabel as labelInQueries,
  prometheusSeries as seriesInQueries,
} from '../../dashboards/src/prometheus-name.ts';
import { PROMOTED_RESOURCE_ATTRIBUTES } from '../../src/signals/semconv.ts';
import type { MetricDefinition } from '../../src/signals/semconv.ts';
import { exposition } from '../../src/telemetry/prometheus/exposition.ts';
import {
  prometheusLabel,
  prometheusName,
  prometheusSeries,
} from '../../src/telemetry/prometheus/prometheus-name.ts';
import { readExposition } from '../support/exposition.ts';
import { collected } from '../support/metrics.ts';
import { everyMetric, NAME_TABLE, nameTable } from '../support/name-table.ts';

const PROMETHEUS = 'dashboards/prometheus/prometheus.yml';

if (process.env['UPDATE_NAMES'] !== undefined) writeFileSync(NAME_TABLE, nameTable());

/** Names that two metrics share. */
function shared(metrics: readonly MetricDefinition[]): readonly string[] {
  const names = metrics.flatMap((metric) => [
    ...new Set([prometheusName(metric).replace(/_total$/, ''), ...prometheusSeries(metric)]),
  ]);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

function record(meter: Meter, { name, instrument, unit }: MetricDefinition, attributes: Attributes): void {
  if (instrument === 'counter') meter.createCounter(name, { unit }).add(1, attributes);
  if (instrument === 'updowncounter') meter.createUpDownCounter(name, { unit }).add(1, attributes);
  if (instrument === 'gauge') meter.createGauge(name, { unit }).record(1, attributes);
  if (instrument === 'histogram') meter.createHistogram(name, { unit }).record(1, attributes);
}

describe('the table of names', () => {
  test('is what the definitions make; run `UPDATE_NAMES=1 npx vitest run test/tidy/names.test.ts` otherwise', () => {
    expect(readFileSync(NAME_TABLE, 'utf8')).toBe(nameTable());
  });

  test('shows a planted change of a unit', () => {
    const [first, ...others] = everyMetric();
    if (!first) throw new Error('There is no metric.');
    expect(nameTable([{ ...first, unit: 'h' }, ...others])).not.toBe(nameTable());
  });

  test('gives every series to one metric', () => {
    expect(shared(everyMetric())).toEqual([]);
    expect(
      shared([
        { name: 'a.b', instrument: 'counter', unit: 's', description: '', attributes: [] },
        { name: 'a.b.seconds', instrument: 'gauge', unit: '', description: '', attributes: [] },
      ]),
    ).toEqual(['a_b_seconds']);
  });

  test('has a `_ratio` for gauges in `1`, shares of a whole, and for nothing else; nothing else is in `1`', () => {
    const inOne = everyMetric().filter(({ unit }) => unit === '1');
    expect(inOne.filter(({ instrument }) => instrument !== 'gauge')).toEqual([]);
    expect(everyMetric().filter((metric) => prometheusName(metric).endsWith('_ratio'))).toEqual(inOne);
  });

  test('is what dashboards and rules go by', () => {
    for (const metric of everyMetric()) {
      expect(seriesInQueries(metric)).toEqual(prometheusSeries(metric));
      expect(metric.attributes.map(labelInQueries)).toEqual(metric.attributes.map(prometheusLabel));
    }
  });

  test.each(everyMetric().map((metric) => [metric.name, metric] as const))(
    'is what the endpoint shows of %s',
    async (_, metric) => {
      const attributes = Object.fromEntries(metric.attributes.map((key) => [key, 'x']));
      const metrics = await collected((meter) => record(meter, metric, attributes));
      const options = { format: 'openmetrics', exemplars: () => [], warn: () => {} } as const;
      const [, family] = readExposition([...exposition(metrics, options)].join(''), 'openmetrics');
      const samples = family?.samples ?? [];
      expect(new Set(samples.map(({ name }) => name))).toEqual(new Set(prometheusSeries(metric)));
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      labels.delete('le');
      expect([...labels].toSorted()).toEqual(metric.attributes.map(prometheusLabel).toSorted());
      expect(family?.type).toBe(metric.instrument === 'updowncounter' ? 'gauge' : metric.instrument);
    },
  );
});

describe('the shipped Prometheus', () => {
  const { otlp } = parse(readFileSync(PROMETHEUS, 'utf8')) as { readonly otlp: Record<string, unknown> };

  test('promotes the attributes of the resource that the endpoint has as labels', () => {
    expect(otlp['promote_resource_attributes']).toEqual(PROMOTED_RESOURCE_ATTRIBUTES);
  });

  test('changes names and labels in no way that the endpoint does not know', () => {
    const { promote_resource_attributes: _promoted, ...others } = otlp;
    expect(others).toEqual({
      translation_strategy: 'UnderscoreEscapingWithSuffixes',
      keep_identifying_resource_attributes: true,
    });
  });
});
