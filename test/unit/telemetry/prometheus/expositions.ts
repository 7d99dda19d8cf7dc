import type { Meter } from '@opentelemetry/api';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect } from 'vitest';
import { exposition } from '../../../../src/telemetry/prometheus/exposition.ts';
import { readExposition } from '../../../support/exposition.ts';
import type { ExposedFamily, ExposedSample } from '../../../support/exposition.ts';
import { collected } from '../../../support/metrics.ts';

/** What the expositions of a test have said. */
export const warnings: string[] = [];
export const warn = (_key: string, message: string): void => void warnings.push(message);

/** @returns the whole exposition */
export function write(metrics: ResourceMetrics, format: 'text' | 'openmetrics' = 'text'): string {
  return [...exposition(metrics, { format, exemplars: () => [], warn })].join('');
}

/** The same in both formats, read back strictly. */
export async function exposed(
  record: (meter: Meter, otherMeter: Meter) => void,
  parts: Parameters<typeof collected>[1] = {},
): Promise<readonly ExposedSample[]> {
  const metrics = await collected(record, parts);
  const samples = (families: readonly ExposedFamily[]): ExposedSample[] =>
    families.flatMap((family) => family.samples).filter(({ name }) => name !== 'target_info');
  const open = samples(readExposition(write(metrics, 'openmetrics'), 'openmetrics'));
  const said = warnings.splice(0);
  const text = samples(readExposition(write(metrics), 'text'));
  expect(warnings).toEqual(said);
  const withoutBounds = ({ name, labels, value }: ExposedSample): unknown => [
    name,
    { ...labels, le: Number(labels['le']) },
    value,
  ];
  expect(open.map(withoutBounds)).toEqual(text.map(withoutBounds));
  return text;
}
