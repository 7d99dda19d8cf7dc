import type { Attributes } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { PROMOTED_RESOURCE_ATTRIBUTES } from '../../signals/semconv.ts';
import type { Exemplar } from '../otlp/encode/index.ts';
import type { Warn } from '../warnings/warner.ts';
import { explicitBuckets, exponentialBuckets, mergedBuckets } from './buckets.ts';
import type { Buckets } from './buckets.ts';
import { familiesOf, TARGET_INFO } from './families.ts';
import type { Family } from './families.ts';
import { escaped, Labeller, written } from './labels.ts';
import type { Labels } from './labels.ts';
import type { Format } from './negotiation.ts';

/** What {@link exposition} takes beside the metrics. */
export interface ExpositionOptions {
  readonly format: Format;
  /** The exemplars of a series; only OpenMetrics can write them. */
  readonly exemplars: (instrument: string, attributes: Attributes) => readonly Exemplar[];
  /** Takes what is left out, once each. */
  readonly warn: Warn;
}

/** Series that are handled before others have their turn. */
export const SERIES_IN_A_SLICE = 100;

const TARGET_HELP = 'Target metadata';

interface Series {
  readonly value: number | Buckets;
  readonly exemplars: readonly Exemplar[];
}

/**
 * Writes metrics as Prometheus text 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats) or OpenMetrics 1.0
 * (prometheus.io/docs/specs/om/open_metrics_spec). Names and labels are those that Prometheus gives to the same metrics when they come as OTLP.
 * @returns slices, each made of at most {@link SERIES_IN_A_SLICE} series; some are empty
 */
export function* exposition(metrics: ResourceMetrics, options: ExpositionOptions): Generator<string> {
  const labeller = new Labeller();
  const { attributes } = metrics.resource;
  const promoted = labeller.labels(
    Object.fromEntries(
      PROMOTED_RESOURCE_ATTRIBUTES.flatMap((key) => (key in attributes ? [[key, attributes[key]]] : [])),
    ),
  );
  const writer = new FamilyWriter(options, labeller, promoted ?? new Map());
  const families = familiesOf(metrics, options.warn);
  const taken = new Set([TARGET_INFO]);
  for (const { type, name } of families) if (type !== 'counter') taken.add(name);
  yield writer.target(labeller.labels(attributes) ?? new Map(), taken);
  for (const family of families) yield* writer.family(family, taken);
  if (options.format === 'openmetrics') yield '# EOF\n';
}

class FamilyWriter {
  readonly #options: ExpositionOptions;
  readonly #labeller: Labeller;
  readonly #promoted: Labels;
  #inSlice = 0;

  constructor(options: ExpositionOptions, labeller: Labeller, promoted: Labels) {
    this.#options = options;
    this.#labeller = labeller;
    this.#promoted = promoted;
  }

  target(labels: Labels, taken: ReadonlySet<string>): string {
    const isInfo = this.#options.format === 'openmetrics' && !taken.has('target');
    const head = isInfo
      ? `# TYPE target info\n# HELP target ${TARGET_HELP}\n`
      : `# HELP ${TARGET_INFO} ${TARGET_HELP}\n# TYPE ${TARGET_INFO} gauge\n`;
    return `${head}${sample(TARGET_INFO, written(labels))} 1\n`;
  }

  /** @param taken names that a counter without its `_total` must not have */
  *family(family: Family, taken: ReadonlySet<string>): Generator<string> {
    const series = new Map<string, Series>();
    for (const metric of family.metrics) {
      for (const point of pointsOf(metric)) {
        this.#add(series, family, metric, point);
        if (this.#isFull()) yield '';
      }
    }
    let text = series.size === 0 ? '' : this.#head(family, taken);
    for (const [labels, each] of series) {
      text +=
        typeof each.value === 'number'
          ? `${sample(family.name, labels)} ${number(each.value)}\n`
          : this.#histogram(family.name, labels, each.value, each.exemplars);
      if (this.#isFull()) {
        yield text;
        text = '';
      }
    }
    yield text;
  }

  #isFull(): boolean {
    this.#inSlice = (this.#inSlice + 1) % SERIES_IN_A_SLICE;
    return this.#inSlice === 0;
  }

  #head({ name, type, help, unit }: Family, taken: ReadonlySet<string>): string {
    if (this.#options.format === 'text') {
      const said = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      return `${help === '' ? '' : `# HELP ${name} ${said}\n`}# TYPE ${name} ${type}\n`;
    }
    const base = type === 'counter' ? name.replace(/_total$/, '') : name;
    // A gauge `jobs` beside a counter `jobs_total` would be one family of two types, and a counter `total` has no name beside its ending.
    const isOdd = type === 'counter' && (base === name || base === 'target' || taken.has(base));
    const shown = isOdd ? name : base;
    return (
      `# TYPE ${shown} ${isOdd ? 'unknown' : type}\n` +
      (unit === '' || isOdd ? '' : `# UNIT ${shown} ${unit}\n`) +
      (help === '' ? '' : `# HELP ${shown} ${escaped(help)}\n`)
    );
  }

  #add(series: Map<string, Series>, family: Family, metric: MetricData, point: Point): void {
    const { name } = metric.descriptor;
    const labels = this.#labeller.labels(point.attributes);
    if (!labels) {
      this.#options.warn(
        `prometheus:key:${name}`,
        `Points of \`${name}\` are not on the Prometheus endpoint: the key of an attribute has no ASCII letter or digit. Rename it.`,
      );
      return;
    }
    if (family.type === 'histogram') labels.delete('le');
    for (const [label, value] of this.#promoted) if (!labels.has(label)) labels.set(label, value);
    const key = written(labels);
    const before = series.get(key);
    if (!before) {
      const exemplars =
        this.#options.format === 'openmetrics' && family.type === 'histogram'
          ? this.#options.exemplars(name, point.attributes)
          : [];
      series.set(key, { value: point.value, exemplars });
      return;
    }
    const value = family.type === 'gauge' ? undefined : added(before.value, point.value);
    if (value !== undefined) series.set(key, { value, exemplars: before.exemplars });
    else {
      this.#options.warn(
        `prometheus:twice:${name}`,
        `Series of \`${name}\` are there twice under the Prometheus name ${family.name}, with the same labels; one of each is left out. ` +
          'Rename the instrument, or give its points an attribute that tells them apart.',
      );
    }
  }

  #histogram(name: string, labels: string, value: Buckets, exemplars: readonly Exemplar[]): string {
    const start = `${name}_bucket{${labels}${labels === '' ? '' : ','}le="`;
    let text = '';
    let cumulated = 0;
    let lower = Number.NEGATIVE_INFINITY;
    for (const [index, bound] of value.bounds.entries()) {
      cumulated += value.counts[index] ?? 0;
      text += `${start}${this.#bound(bound)}"} ${number(cumulated)}${exemplarOf(exemplars, lower, bound)}\n`;
      lower = bound;
    }
    text += `${start}+Inf"} ${number(value.count)}${exemplarOf(exemplars, lower, Number.POSITIVE_INFINITY)}\n`;
    if (value.sum !== undefined) text += `${sample(`${name}_sum`, labels)} ${number(value.sum)}\n`;
    return `${text}${sample(`${name}_count`, labels)} ${number(value.count)}\n`;
  }

  /** OpenMetrics writes a whole number as a bound with its fraction. */
  #bound(bound: number): string {
    const text = number(bound);
    return this.#options.format === 'openmetrics' && /^-?\d+$/.test(text) ? `${text}.0` : text;
  }
}

interface Point {
  readonly attributes: Attributes;
  readonly value: number | Buckets;
}

function* pointsOf(metric: MetricData): Generator<Point> {
  switch (metric.dataPointType) {
    case DataPointType.SUM:
    case DataPointType.GAUGE:
      yield* metric.dataPoints;
      return;
    case DataPointType.HISTOGRAM:
      for (const { attributes, value } of metric.dataPoints)
        yield { attributes, value: explicitBuckets(value) };
      return;
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      for (const { attributes, value } of metric.dataPoints)
        yield { attributes, value: exponentialBuckets(value) };
  }
}

function added(one: number | Buckets, other: number | Buckets): number | Buckets | undefined {
  if (typeof one === 'number') return typeof other === 'number' ? one + other : undefined;
  return typeof other === 'number' ? undefined : mergedBuckets(one, other);
}

function sample(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** The newest exemplar of a bucket, as OpenMetrics writes it behind the sample. */
function exemplarOf(exemplars: readonly Exemplar[], lower: number, upper: number): string {
  let newest: Exemplar | undefined;
  for (const each of exemplars) {
    if (each.value > lower && each.value <= upper && (!newest || each.epochMs >= newest.epochMs))
      newest = each;
  }
  if (!newest) return '';
  const { traceId, spanId, value, epochMs } = newest;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${number(value)} ${epochMs / 1_000}`;
}
