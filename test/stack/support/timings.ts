import { at, type Path, type Shipped, shipped, type Value } from './documents.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns milliseconds of a duration such as `1m30s` */
export function milliseconds(duration: Value): number {
  const text = typeof duration === 'string' ? duration : JSON.stringify(duration);
  const parts = [...text.matchAll(/(\d+)(ms|[smhd])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new Error(`Expected a duration such as 1m30s, got ${text}.`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? Number.NaN), 0);
}

/** One wait on the way from a fault to its notification. */
export interface Wait {
  readonly what: string;
  readonly ms: number;
}

function wait(what: string, source: Shipped, path: Path): Wait {
  const value = at(source.document, path);
  if (value === undefined) throw new Error(`${source.file}: expected ${path.join(' > ')}, found nothing.`);
  return { what: `${what} (${source.file}: ${JSON.stringify(value)})`, ms: milliseconds(value) };
}

/**
 * Every wait between a breaker that opens and the notification of CircuitBreakerOpen with the shipped files, each at its longest.
 * Transport and computation are left out: they are milliseconds.
 */
export function shippedWaits(): readonly Wait[] {
  const compose = shipped('docker-compose.yml');
  const collector = shipped('collector/config.yaml');
  const prometheus = shipped('dashboards/prometheus/prometheus.yml');
  const rules = shipped('dashboards/prometheus/rules/guards.yaml');
  const alertmanager = shipped('dashboards/alertmanager/alertmanager.yml');
  const sending = at(compose.document, ['services', 'demo', 'environment', 'OTEL_METRIC_EXPORT_INTERVAL']);
  const exportMs = Number(JSON.stringify(sending ?? '').replaceAll(/"|\$\{\w+:-(\d+)\}/g, '$1'));
  const rule = list(at(rules.document, ['groups', 0, 'rules'])).findIndex(
    (each) => at(each, ['alert']) === 'CircuitBreakerOpen',
  );
  const route = list(at(alertmanager.document, ['route', 'routes'])).findIndex(
    (each) => at(each, ['receiver']) === 'critical',
  );
  return [
    { what: `the service's next metric export (docker-compose.yml: ${exportMs} ms)`, ms: exportMs },
    wait('a batch in the Collector', collector, [
      'exporters',
      'otlp_http/prometheus',
      'sending_queue',
      'batch',
      'flush_timeout',
    ]),
    wait('the next evaluation', prometheus, ['global', 'evaluation_interval']),
    wait('the rule’s own patience', rules, ['groups', 0, 'rules', rule, 'for']),
    wait('the evaluation that ends it', prometheus, ['global', 'evaluation_interval']),
    wait('the group of notifications', alertmanager, ['route', 'routes', route, 'group_wait']),
  ];
}

/** The longest time between a breaker that opens and its notification, as shipped. */
export function shippedBoundMs(): number {
  return shippedWaits().reduce((sum, { ms }) => sum + ms, 0);
}

/** The waits of {@link shippedWaits}, a line each. */
export function shownWaits(): readonly string[] {
  return shippedWaits().map(({ what, ms }) => `  ${`${(ms / 1_000).toFixed(1)} s`.padStart(7)} ${what}`);
}

function list(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [];
}
