/** A Collector's configuration, as far as the rules look into it. */
export interface CollectorConfig {
  readonly receivers?: Readonly<Record<string, unknown>>;
  readonly processors?: Readonly<Record<string, unknown>>;
  readonly exporters?: Readonly<Record<string, Exporter | null>>;
  readonly connectors?: Readonly<Record<string, unknown>>;
  readonly service: {
    readonly pipelines: Readonly<Record<string, Pipeline>>;
    readonly telemetry?: unknown;
  };
}

/** An exporter, as far as the rules look into it. */
export interface Exporter {
  readonly retry_on_failure?: { readonly max_elapsed_time?: string };
  readonly sending_queue?: {
    readonly storage?: string;
    readonly sizer?: string;
    readonly queue_size?: number;
    readonly num_consumers?: number;
    readonly batch?: {
      readonly sizer?: string;
      readonly min_size?: number;
      readonly max_size?: number;
    };
  };
}

interface Pipeline {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** Answers with the names of what breaks it. */
export type Rule = (config: CollectorConfig) => readonly string[];

const pipelines = (config: CollectorConfig) => Object.entries(config.service.pipelines);
const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Puts an overlay over a configuration as the Collector does: maps are merged, lists are replaced. */
export function merged(base: unknown, overlay: unknown): unknown {
  if (!isTable(base) || !isTable(overlay)) return overlay;
  const inner = Object.entries(overlay).map(([key, value]): readonly [string, unknown] => [
    key,
    key in base ? merged(base[key], value) : value,
  ]);
  return { ...base, ...Object.fromEntries(inner) };
}

/** What every configuration keeps; each rule answers with what breaks it. */
export const COLLECTOR_RULES: Readonly<Record<string, Rule>> = {
  'memory is limited before anything else': (config) =>
    pipelines(config)
      .filter(([, { processors }]) => processors[0] !== 'memory_limiter')
      .map(([name]) => name),
  'spans and log records lose their credentials before they leave': (config) =>
    pipelines(config)
      .filter(
        ([name, { processors }]) => /^(traces|logs)/.test(name) && !processors.includes('transform/redact'),
      )
      .map(([name]) => name),
  'no batch processor holds what a crash would lose': (config) =>
    pipelines(config)
      .filter(([, { processors }]) => processors.some((processor) => processor.startsWith('batch')))
      .map(([name]) => name),
  'queues are on disk, count items, and give up on nothing': ({ exporters = {} }) =>
    Object.entries(exporters)
      .filter(([name]) => name.startsWith('otlp'))
      .filter(([, exporter]) => {
        const queue = exporter?.sending_queue;
        return (
          queue?.storage !== 'file_storage' ||
          queue.sizer !== 'items' ||
          !(Number(queue.queue_size) >= 100_000) ||
          exporter?.retry_on_failure?.max_elapsed_time !== '0s'
        );
      })
      .map(([name]) => name),
  'span metrics see every span': (config) =>
    config.connectors?.['span_metrics'] === undefined
      ? []
      : pipelines(config)
          .filter(
            ([, { processors, exporters }]) =>
              exporters.includes('span_metrics') && processors.some((each) => /sampl/.test(each)),
          )
          .map(([name]) => name),
  'something counts the spans where span metrics are made': (config) =>
    config.connectors?.['span_metrics'] === undefined ||
    pipelines(config).some(([, { exporters }]) => exporters.includes('span_metrics'))
      ? []
      : ['span_metrics'],
  'traces reach a backend': (config) =>
    pipelines(config).some(
      ([name, { exporters }]) =>
        name.startsWith('traces') && exporters.some((each) => each.startsWith('otlp')),
    )
      ? []
      : ['traces'],
  'pages of other origins cannot send': ({ receivers = {} }) =>
    JSON.stringify(receivers).includes('allowed_origins') ? ['cors'] : [],
  'the names of its own metrics are fixed': ({ service }) =>
    JSON.stringify(service.telemetry ?? {}).includes('"without_type_suffix":false,"without_units":false')
      ? []
      : ['readers'],
};

/** @returns every rule that a configuration breaks, and where */
export function collectorProblems(
  config: CollectorConfig,
  rules: Readonly<Record<string, Rule>> = COLLECTOR_RULES,
): readonly string[] {
  return Object.entries(rules).flatMap(([rule, check]) => check(config).map((where) => `${rule}: ${where}`));
}
