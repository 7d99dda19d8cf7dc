import type { Edit } from './documents.ts';

/** Where everything listens in one test run, all of it on loopback. */
export interface Ports {
  readonly otlpGrpc: number;
  readonly otlpHttp: number;
  readonly collectorHealth: number;
  readonly collectorMetrics: number;
  readonly jaegerOtlp: number;
  readonly jaegerHealth: number;
  readonly jaegerQuery: number;
  readonly jaegerQueryGrpc: number;
  readonly prometheus: number;
  readonly alertmanager: number;
  readonly agentGrpc: number;
  readonly agentHttp: number;
  readonly agentHealth: number;
  readonly agentMetrics: number;
  /** Nobody listens there: Grafana's server is not part of the run. */
  readonly grafana: number;
}

/** Every port that a run needs. */
export const PORT_NAMES: readonly (keyof Ports)[] = [
  'otlpGrpc',
  'otlpHttp',
  'collectorHealth',
  'collectorMetrics',
  'jaegerOtlp',
  'jaegerHealth',
  'jaegerQuery',
  'jaegerQueryGrpc',
  'prometheus',
  'alertmanager',
  'agentGrpc',
  'agentHttp',
  'agentHealth',
  'agentMetrics',
  'grafana',
];

const LOOPBACK = '127.0.0.1';

/** Files that belong to one run. */
export interface RunPaths {
  readonly collectorData: string;
  readonly agentData: string;
  readonly jaegerData: string;
  readonly rules: string;
  readonly templates: string;
  readonly alertWebhookUrl: string;
  readonly watchdogWebhookUrl: string;
}

type AddressEdits = (ports: Ports, paths: RunPaths) => readonly Edit[];

const on = (port: number): string => `${LOOPBACK}:${port}`;

/** What every Collector listens on and keeps its queues in. */
const ofCollector = (
  [grpc, http, health, metrics]: readonly [number, number, number, number],
  data: string,
): readonly Edit[] => [
  { path: ['receivers', 'otlp', 'protocols', 'grpc', 'endpoint'], value: on(grpc) },
  { path: ['receivers', 'otlp', 'protocols', 'http', 'endpoint'], value: on(http) },
  { path: ['extensions', 'health_check', 'endpoint'], value: on(health) },
  { path: ['extensions', 'file_storage', 'directory'], value: data },
  ...(['host', 'port'] as const).map((key) => ({
    path: ['service', 'telemetry', 'metrics', 'readers', 0, 'pull', 'exporter', 'prometheus', key],
    value: key === 'host' ? LOOPBACK : metrics,
  })),
];

/** For each shipped file, the leaves that hold an address or a path, with what stands in for them. */
export const ADDRESSES: Readonly<Record<string, AddressEdits>> = {
  'collector/config.yaml': (ports, paths) => [
    ...ofCollector(
      [ports.otlpGrpc, ports.otlpHttp, ports.collectorHealth, ports.collectorMetrics],
      paths.collectorData,
    ),
    { path: ['exporters', 'otlp_grpc/jaeger', 'endpoint'], value: on(ports.jaegerOtlp) },
    {
      path: ['exporters', 'otlp_http/prometheus', 'endpoint'],
      value: `http://${on(ports.prometheus)}/api/v1/otlp`,
    },
  ],
  'collector/agent.yaml': (ports, paths) =>
    ofCollector([ports.agentGrpc, ports.agentHttp, ports.agentHealth, ports.agentMetrics], paths.agentData),
  'collector/overlays/gateway.yaml': () => [],
  'collector/overlays/logs.yaml': () => [],
  'collector/overlays/without-probes.yaml': () => [],
  'collector/overlays/jaeger-badger.yaml': (_ports, paths) =>
    ['keys', 'values'].map((key) => ({
      path: ['extensions', 'jaeger_storage', 'backends', 'badger_store', 'badger', 'directories', key],
      value: `${paths.jaegerData}/${key}`,
    })),
  'collector/overlays/tail-sampling.yaml': () => [],
  'collector/jaeger.yaml': (ports) => [
    { path: ['receivers', 'otlp', 'protocols', 'grpc', 'endpoint'], value: on(ports.jaegerOtlp) },
    { path: ['extensions', 'healthcheckv2', 'http', 'endpoint'], value: on(ports.jaegerHealth) },
    { path: ['extensions', 'jaeger_query', 'http', 'endpoint'], value: on(ports.jaegerQuery) },
    { path: ['extensions', 'jaeger_query', 'grpc', 'endpoint'], value: on(ports.jaegerQueryGrpc) },
    {
      path: ['extensions', 'jaeger_storage', 'metric_backends', 'prometheus_store', 'prometheus', 'endpoint'],
      value: `http://${on(ports.prometheus)}`,
    },
  ],
  'dashboards/prometheus/prometheus.yml': (ports, paths) => [
    {
      path: ['alerting', 'alertmanagers', 0, 'static_configs', 0, 'targets', 0],
      value: on(ports.alertmanager),
    },
    { path: ['rule_files', 0], value: paths.rules },
    ...[ports.prometheus, ports.collectorMetrics, ports.alertmanager, ports.grafana].map((port, index) => ({
      path: ['scrape_configs', index, 'static_configs', 0, 'targets', 0],
      value: on(port),
    })),
  ],
  'dashboards/prometheus/rules/guards.yaml': () => [],
  'dashboards/prometheus/rules/slo.yaml': () => [],
  'dashboards/prometheus/rules/host.yaml': () => [],
  'dashboards/prometheus/rules/telemetry.yaml': () => [],
  'dashboards/alertmanager/alertmanager.yml': (_ports, paths) => [
    { path: ['templates', 0], value: paths.templates },
    ...[0, 1].map((index) => ({
      path: ['receivers', index, 'webhook_configs', 0, 'url_file'],
      value: paths.alertWebhookUrl,
    })),
    { path: ['receivers', 2, 'webhook_configs', 0, 'url_file'], value: paths.watchdogWebhookUrl },
  ],
};
