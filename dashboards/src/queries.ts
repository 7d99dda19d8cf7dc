import {
  ATTR_BREAKER_STATE,
  ATTR_CACHE_RESULT,
  ATTR_GUARD_NAME,
  ATTR_OPERATION_NAME,
  ATTR_ORIGIN,
  ATTR_OUTCOME,
  ATTR_POLICY_NAME,
  ATTR_REASON,
  ATTR_SIGNAL,
  METRIC_ATTEMPTS,
  METRIC_BREAKER_STATE,
  METRIC_BREAKER_TRANSITIONS,
  METRIC_BULKHEAD_ACTIVE,
  METRIC_BULKHEAD_LIMIT,
  METRIC_BULKHEAD_QUEUE_LIMIT,
  METRIC_BULKHEAD_QUEUED,
  METRIC_BULKHEAD_WAIT,
  METRIC_CACHE_ENTRIES,
  METRIC_CACHE_REQUESTS,
  METRIC_CACHE_TIER_FAILURES,
  METRIC_GUARD_KEYS,
  METRIC_RATE_LIMITER_AVAILABLE,
  METRIC_RATE_LIMITER_LIMIT,
  METRIC_RATE_LIMITER_STORE_FAILURES,
  METRIC_RATE_LIMITER_UNLIMITED,
  METRIC_CALL_ABANDONED,
  METRIC_CALL_DURATION,
  METRIC_CALLS,
  METRIC_REJECTIONS,
  METRIC_RETRY_SUPPRESSED,
  METRIC_TELEMETRY_BACKLOG,
  METRIC_TELEMETRY_BACKLOG_SIZE,
  METRIC_TELEMETRY_DRAINED,
  METRIC_TELEMETRY_DROPPED,
  METRIC_TELEMETRY_EXPORTED,
  METRIC_TELEMETRY_LAST_SUCCESS,
  METRIC_TELEMETRY_OLDEST_AGE,
  METRIC_TELEMETRY_RETRIES,
  METRIC_WAIT_TIME,
  ATTR_BREAKER_FROM,
  ATTR_BREAKER_TO,
} from '../../src/signals/semconv.ts';
import * as machine from '../../src/telemetry/gauges/machine-semconv.ts';
import * as node from '../../src/telemetry/gauges/process-semconv.ts';
import { prometheusLabel, prometheusName } from './prometheus-name.ts';

type LabelName =
  | 'namespace'
  | 'service'
  | 'guard'
  | 'operation'
  | 'outcome'
  | 'origin'
  | 'policy'
  | 'reason'
  | 'result'
  | 'signal'
  | 'state'
  | 'from'
  | 'to'
  | 'host'
  | 'instance'
  | 'cpuMode'
  | 'memoryState'
  | 'mountpoint'
  | 'filesystemState'
  | 'gcType'
  | 'heapSpace'
  | 'pressureScope'
  | 'pressureResource'
  | 'pressureStall';

type SeriesName =
  | 'calls'
  | 'callDurationBucket'
  | 'abandoned'
  | 'attempts'
  | 'retrySuppressed'
  | 'rejections'
  | 'waitTime'
  | 'breakerState'
  | 'breakerTransitions'
  | 'bulkheadActive'
  | 'bulkheadLimit'
  | 'bulkheadQueued'
  | 'bulkheadQueueLimit'
  | 'bulkheadWaitBucket'
  | 'rateLimiterAvailable'
  | 'rateLimiterLimit'
  | 'cacheRequests'
  | 'cacheEntries'
  | 'cacheTierFailures'
  | 'storeFailures'
  | 'unlimitedCalls'
  | 'guardKeys'
  | 'telemetryExported'
  | 'telemetryDropped'
  | 'telemetryBacklog'
  | 'telemetryBacklogSize'
  | 'telemetryDrained'
  | 'telemetryOldestAge'
  | 'telemetryLastSuccess'
  | 'telemetryRetries'
  | 'cpu'
  | 'memory'
  | 'memoryLimit'
  | 'disk'
  | 'inodes'
  | 'load'
  | 'processors'
  | 'pressure'
  | 'containerMemory'
  | 'containerMemoryLimit'
  | 'containerCpu'
  | 'containerPeriods'
  | 'containerThrottled'
  | 'processCpu'
  | 'processMemory'
  | 'processFiles'
  | 'processFileLimit'
  | 'processUptime'
  | 'loopDelayP50'
  | 'loopDelayP99'
  | 'loopUse'
  | 'gcTime'
  | 'heapUsed'
  | 'heapLimit'
  | 'targetInfo'
  | 'spanCalls'
  | 'spanDurationBucket'
  | 'spanDurationCount';

/** The labels that queries group and filter by. `service` and `namespace` are promoted resource attributes. */
export const LABEL: Readonly<Record<LabelName, string>> = {
  namespace: prometheusLabel('service.namespace'),
  service: prometheusLabel('service.name'),
  guard: prometheusLabel(ATTR_GUARD_NAME),
  operation: prometheusLabel(ATTR_OPERATION_NAME),
  outcome: prometheusLabel(ATTR_OUTCOME),
  origin: prometheusLabel(ATTR_ORIGIN),
  policy: prometheusLabel(ATTR_POLICY_NAME),
  reason: prometheusLabel(ATTR_REASON),
  result: prometheusLabel(ATTR_CACHE_RESULT),
  signal: prometheusLabel(ATTR_SIGNAL),
  state: prometheusLabel(ATTR_BREAKER_STATE),
  from: prometheusLabel(ATTR_BREAKER_FROM),
  to: prometheusLabel(ATTR_BREAKER_TO),
  host: prometheusLabel('host.name'),
  instance: prometheusLabel('service.instance.id'),
  cpuMode: prometheusLabel(machine.ATTR_CPU_MODE),
  memoryState: prometheusLabel(machine.ATTR_MEMORY_STATE),
  mountpoint: prometheusLabel(machine.ATTR_FILESYSTEM_MOUNTPOINT),
  filesystemState: prometheusLabel(machine.ATTR_FILESYSTEM_STATE),
  gcType: prometheusLabel(node.ATTR_GC_TYPE),
  heapSpace: prometheusLabel(node.ATTR_HEAP_SPACE),
  pressureScope: prometheusLabel(machine.ATTR_PRESSURE_SCOPE),
  pressureResource: prometheusLabel(machine.ATTR_PRESSURE_RESOURCE),
  pressureStall: prometheusLabel(machine.ATTR_PRESSURE_STALL),
};

/** The series that queries read. */
export const SERIES: Readonly<Record<SeriesName, string>> = {
  calls: prometheusName(METRIC_CALLS),
  callDurationBucket: `${prometheusName(METRIC_CALL_DURATION)}_bucket`,
  abandoned: prometheusName(METRIC_CALL_ABANDONED),
  attempts: prometheusName(METRIC_ATTEMPTS),
  retrySuppressed: prometheusName(METRIC_RETRY_SUPPRESSED),
  rejections: prometheusName(METRIC_REJECTIONS),
  waitTime: prometheusName(METRIC_WAIT_TIME),
  breakerState: prometheusName(METRIC_BREAKER_STATE),
  breakerTransitions: prometheusName(METRIC_BREAKER_TRANSITIONS),
  bulkheadActive: prometheusName(METRIC_BULKHEAD_ACTIVE),
  bulkheadLimit: prometheusName(METRIC_BULKHEAD_LIMIT),
  bulkheadQueued: prometheusName(METRIC_BULKHEAD_QUEUED),
  bulkheadQueueLimit: prometheusName(METRIC_BULKHEAD_QUEUE_LIMIT),
  bulkheadWaitBucket: `${prometheusName(METRIC_BULKHEAD_WAIT)}_bucket`,
  rateLimiterAvailable: prometheusName(METRIC_RATE_LIMITER_AVAILABLE),
  rateLimiterLimit: prometheusName(METRIC_RATE_LIMITER_LIMIT),
  cacheRequests: prometheusName(METRIC_CACHE_REQUESTS),
  cacheEntries: prometheusName(METRIC_CACHE_ENTRIES),
  cacheTierFailures: prometheusName(METRIC_CACHE_TIER_FAILURES),
  storeFailures: prometheusName(METRIC_RATE_LIMITER_STORE_FAILURES),
  unlimitedCalls: prometheusName(METRIC_RATE_LIMITER_UNLIMITED),
  guardKeys: prometheusName(METRIC_GUARD_KEYS),
  telemetryExported: prometheusName(METRIC_TELEMETRY_EXPORTED),
  telemetryDropped: prometheusName(METRIC_TELEMETRY_DROPPED),
  telemetryBacklog: prometheusName(METRIC_TELEMETRY_BACKLOG),
  telemetryBacklogSize: prometheusName(METRIC_TELEMETRY_BACKLOG_SIZE),
  telemetryDrained: prometheusName(METRIC_TELEMETRY_DRAINED),
  telemetryOldestAge: prometheusName(METRIC_TELEMETRY_OLDEST_AGE),
  telemetryLastSuccess: prometheusName(METRIC_TELEMETRY_LAST_SUCCESS),
  telemetryRetries: prometheusName(METRIC_TELEMETRY_RETRIES),
  cpu: prometheusName(machine.METRIC_CPU_UTILIZATION),
  memory: prometheusName(machine.METRIC_MEMORY_UTILIZATION),
  memoryLimit: prometheusName(machine.METRIC_MEMORY_LIMIT),
  disk: prometheusName(machine.METRIC_FILESYSTEM_UTILIZATION),
  inodes: prometheusName(machine.METRIC_FILESYSTEM_INODES),
  load: prometheusName(machine.METRIC_LOAD_AVERAGES[0]),
  processors: prometheusName(machine.METRIC_CPU_COUNT),
  pressure: prometheusName(machine.METRIC_PRESSURE),
  containerMemory: prometheusName(machine.METRIC_CONTAINER_MEMORY_WORKING_SET),
  containerMemoryLimit: prometheusName(machine.METRIC_CONTAINER_MEMORY_LIMIT),
  containerCpu: prometheusName(machine.METRIC_CONTAINER_CPU_USAGE),
  containerPeriods: prometheusName(machine.METRIC_CONTAINER_CPU_PERIODS),
  containerThrottled: prometheusName(machine.METRIC_CONTAINER_CPU_THROTTLED_PERIODS),
  processCpu: prometheusName(node.METRIC_PROCESS_CPU_UTILIZATION),
  processMemory: prometheusName(node.METRIC_PROCESS_MEMORY_USAGE),
  processFiles: prometheusName(node.METRIC_PROCESS_OPEN_FILES),
  processFileLimit: prometheusName(node.METRIC_PROCESS_OPEN_FILE_LIMIT),
  processUptime: prometheusName(node.METRIC_PROCESS_UPTIME),
  loopDelayP50: prometheusName(node.METRIC_EVENTLOOP_DELAYS.p50),
  loopDelayP99: prometheusName(node.METRIC_EVENTLOOP_DELAYS.p99),
  loopUse: prometheusName(node.METRIC_EVENTLOOP_UTILIZATION),
  gcTime: `${prometheusName(node.METRIC_GC_DURATION)}_sum`,
  heapUsed: prometheusName(node.METRIC_HEAP_USED),
  heapLimit: prometheusName(node.METRIC_HEAP_LIMIT),
  /** Not ours: Prometheus makes it from the resource of whoever sends OTLP. */
  targetInfo: 'target_info',
  // The Collector's `span_metrics` connector makes these, under the names that Jaeger's Monitor tab reads.
  spanCalls: 'traces_span_metrics_calls_total',
  spanDurationBucket: 'traces_span_metrics_duration_milliseconds_bucket',
  spanDurationCount: 'traces_span_metrics_duration_milliseconds_count',
};

/** Breaker states in which calls are refused or on trial; an alert on `open` alone would start anew at every half-open trial. */
export const NOT_CLOSED = 'open|half_open|forced_open';

/** Outcomes of calls whose function ran. What a policy refused is neither the dependency's success nor its failure. */
export const EXECUTED = 'success|failure|timeout';

/** Outcomes that count as failed. */
export const FAILED = 'failure|timeout';

/**
 * @param matchers label matchers, as PromQL writes them
 * @returns `{...}`, or nothing where there are none
 */
export function selector(...matchers: readonly string[]): string {
  const present = matchers.filter((matcher) => matcher !== '');
  return present.length === 0 ? '' : `{${present.join(',')}}`;
}

/** What an SDK writes about itself; the Collector's span metrics have a `target_info` too, which lives on after the service. */
export const FROM_SDK: string = `${SERIES.targetInfo}${selector('telemetry_sdk_name!=""')}`;
