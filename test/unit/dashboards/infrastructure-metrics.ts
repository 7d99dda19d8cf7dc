const EXPORT = ['exporter'];
const RECEIVE = ['receiver', 'transport'];
const GROUP = ['rule_group'];
const SPAN = ['service_name', 'service_namespace', 'span_kind', 'span_name', 'status_code'];

/**
 * Series of the infrastructure that queries may read, with their labels: the Collector's own and those of its `span_metrics`, Prometheus',
 * Alertmanager's. The stack test holds the list against the real programs.
 */
export const INFRASTRUCTURE: Readonly<Record<string, readonly string[]>> = {
  up: [],
  otelcol_receiver_accepted_spans_total: RECEIVE,
  otelcol_receiver_accepted_metric_points_total: RECEIVE,
  otelcol_receiver_accepted_log_records_total: RECEIVE,
  otelcol_receiver_refused_spans_total: RECEIVE,
  otelcol_receiver_refused_metric_points_total: RECEIVE,
  otelcol_receiver_refused_log_records_total: RECEIVE,
  otelcol_exporter_sent_spans_total: EXPORT,
  otelcol_exporter_sent_metric_points_total: EXPORT,
  otelcol_exporter_sent_log_records_total: EXPORT,
  otelcol_exporter_send_failed_spans_total: EXPORT,
  otelcol_exporter_send_failed_metric_points_total: EXPORT,
  otelcol_exporter_send_failed_log_records_total: EXPORT,
  otelcol_exporter_enqueue_failed_spans_total: EXPORT,
  otelcol_exporter_enqueue_failed_metric_points_total: EXPORT,
  otelcol_exporter_enqueue_failed_log_records_total: EXPORT,
  otelcol_exporter_queue_size: ['exporter', 'data_type'],
  otelcol_exporter_queue_capacity: ['exporter', 'data_type'],
  otelcol_process_memory_rss_bytes: [],
  traces_span_metrics_calls_total: SPAN,
  traces_span_metrics_duration_milliseconds_bucket: [...SPAN, 'le'],
  traces_span_metrics_duration_milliseconds_count: SPAN,
  prometheus_config_last_reload_successful: [],
  prometheus_rule_evaluation_failures_total: GROUP,
  prometheus_rule_group_last_duration_seconds: GROUP,
  prometheus_rule_group_interval_seconds: GROUP,
  prometheus_notifications_alertmanagers_discovered: [],
  prometheus_notifications_sent_total: ['alertmanager'],
  prometheus_notifications_errors_total: ['alertmanager'],
  prometheus_tsdb_too_old_samples_total: ['type'],
  prometheus_http_requests_total: ['handler', 'code'],
  prometheus_tsdb_head_series: [],
  alertmanager_config_last_reload_successful: [],
  alertmanager_notifications_total: ['integration'],
  alertmanager_notifications_failed_total: ['integration', 'reason'],
};

/** Counters that the Collector makes only once something has gone wrong. */
export const BORN_IN_TROUBLE: readonly string[] = Object.keys(INFRASTRUCTURE).filter((name) =>
  /^otelcol_exporter_(send|enqueue)_failed_/.test(name),
);
