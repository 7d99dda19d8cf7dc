import { type Edit, leaves, type Path, type Value } from './documents.ts';

/**
 * The one overlay of the stack tests: how long things wait, and nothing else. Keys of the shipped files, with the value
 * that stands in wherever the key occurs.
 */
export const TIMING: Readonly<Record<string, string>> = {
  // collector/config.yaml
  metrics_flush_interval: '1s',
  // collector/overlays
  decision_wait: '1s',
  max_connection_age: '1s',
  max_connection_age_grace: '1s',
  // dashboards/prometheus
  scrape_interval: '1s',
  scrape_timeout: '1s',
  evaluation_interval: '1s',
  interval: '1s',
  for: '1s',
  keep_firing_for: '1s',
  // dashboards/alertmanager
  group_wait: '500ms',
  group_interval: '1s',
  repeat_interval: '1h',
};

/** What the services are told: how often they send. Milliseconds. */
export const TIMING_ENV: Readonly<Record<string, string>> = {
  OTEL_METRIC_EXPORT_INTERVAL: '500',
  OTEL_METRIC_EXPORT_TIMEOUT: '500',
  OTEL_BSP_SCHEDULE_DELAY: '200',
  OTEL_BLRP_SCHEDULE_DELAY: '200',
};

/** @returns whether a leaf is one that the overlay may change */
export function isTiming(path: Path): boolean {
  return Object.hasOwn(TIMING, String(path.at(-1)));
}

/** @returns the edits that put the overlay over a document */
export function timingEdits(document: Value): readonly Edit[] {
  return leaves(document)
    .filter(([path]) => isTiming(path))
    .map(([path]) => ({ path, value: TIMING[String(path.at(-1))] ?? '' }));
}
