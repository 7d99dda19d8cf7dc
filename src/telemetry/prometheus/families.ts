import { DataPointType } from '@opentelemetry/sdk-metrics';
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Warn } from '../warnings/warner.ts';
import { prometheusName, prometheusSeries, prometheusUnit } from './prometheus-name.ts';
import type { NamedInstrument } from './prometheus-name.ts';

/** The name of the metric that holds the resource. */
export const TARGET_INFO = 'target_info';

/** Instruments that have one name in Prometheus, and so are one metric there. */
export interface Family {
  /** As in Prometheus; for a histogram without its endings. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The words of the unit, where the name (for a counter without `_total`) ends in them. */
  readonly unit: string;
  /** One for each instrument, from as many scopes; the first gave name, help and unit. */
  readonly metrics: MetricData[];
}

function instrumentOf(metric: MetricData): NamedInstrument['instrument'] {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
      return metric.isMonotonic ? 'counter' : 'updowncounter';
    case DataPointType.GAUGE:
      return 'gauge';
    case DataPointType.HISTOGRAM:
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      return 'histogram';
  }
}

function familyOf(instrument: NamedInstrument, metric: MetricData): Family {
  const name = prometheusName(instrument);
  const unit = prometheusUnit(instrument.unit);
  return {
    name,
    type: instrument.instrument === 'updowncounter' ? 'gauge' : instrument.instrument,
    help: metric.descriptor.description,
    unit: unit !== '' && name.replace(/_total$/, '').endsWith(`_${unit}`) ? unit : '',
    metrics: [metric],
  };
}

/** The SDK takes names, units and descriptions as libraries give them, without looking at them. */
const isNamed = ({ descriptor }: MetricData): boolean =>
  [descriptor.name, descriptor.unit, descriptor.description].every(
    (text: unknown) => typeof text === 'string',
  );

/**
 * Groups what was collected by the name in Prometheus. Instruments of one name and type become one family; one whose name is taken by another
 * type, or that has no name left, is left out with a warning: anything else would spoil the whole exposition.
 */
export function familiesOf({ scopeMetrics }: ResourceMetrics, warn: Warn): readonly Family[] {
  const families = new Map<string, Family>();
  const owners = new Map<string, string>([[TARGET_INFO, 'the resource']]);
  for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
    if (metric.dataPoints.length === 0) continue;
    if (!isNamed(metric)) {
      warn(
        'prometheus:unnamed',
        'A metric is not on the Prometheus endpoint: its name, unit or description is not a text. Look for an instrument that is made with undefined as its name.',
      );
      continue;
    }
    const { name, unit } = metric.descriptor;
    const instrument = { name, unit, instrument: instrumentOf(metric) };
    const family = familyOf(instrument, metric);
    const known = families.get(family.name);
    if (known?.type === family.type) {
      known.metrics.push(metric);
      continue;
    }
    const series = [family.name, ...prometheusSeries(instrument)];
    const owner = series.map((each) => owners.get(each)).find((each) => each !== undefined);
    if (family.name === '' || owner !== undefined) {
      warn(
        `prometheus:${name}`,
        `The metric \`${name}\` is not on the Prometheus endpoint: ` +
          (owner === undefined
            ? 'no character of its name is an ASCII letter or digit. Rename it.'
            : `its name there, ${family.name}, is taken by ${owner}, which is of another type. Rename one of them.`),
      );
      continue;
    }
    families.set(family.name, family);
    for (const each of series) owners.set(each, `\`${name}\``);
  }
  return [...families.values()];
}
