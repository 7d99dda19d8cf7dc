/**
 * Every name that Keelson gives to telemetry. Code, dashboards, rules and README tables take their names from here.
 * OpenTelemetry's semantic conventions come first; the prefix `keelson.` marks what they do not cover.
 * As of 1.44.0 they have nothing for breakers, retries or bulkheads: open-telemetry/semantic-conventions#2355.
 */

/** The instrumentation scope of everything that Keelson emits about guards. */
export const SCOPE_NAME = 'keelson';

// Attributes of OpenTelemetry's own. That of the peer, the logical name of the service on the other side, is of status Development as of 1.44.0.
export const ATTR_ERROR_TYPE = 'error.type';
export const ATTR_PEER_NAME = 'service.peer.name';
export const ATTR_EXCEPTION_TYPE = 'exception.type';
export const ATTR_EXCEPTION_MESSAGE = 'exception.message';
export const ATTR_EXCEPTION_STACKTRACE = 'exception.stacktrace';

// Attributes of Keelson's.
export const ATTR_GUARD_NAME = 'keelson.guard.name';
export const ATTR_OPERATION_NAME = 'keelson.operation.name';
export const ATTR_OUTCOME = 'keelson.outcome';
export const ATTR_ORIGIN = 'keelson.origin';
export const ATTR_POLICY_NAME = 'keelson.policy.name';
export const ATTR_REASON = 'keelson.reason';
export const ATTR_BREAKER_STATE = 'keelson.breaker.state';
export const ATTR_BREAKER_FROM = 'keelson.breaker.from';
export const ATTR_BREAKER_TO = 'keelson.breaker.to';
export const ATTR_REQUEST_ID = 'keelson.request.id';
export const ATTR_ATTEMPTS = 'keelson.attempts';
export const ATTR_ATTEMPT_NUMBER = 'keelson.attempt.number';
export const ATTR_SUPPRESSED_POLICY = 'keelson.suppressed.policy';
export const ATTR_SUPPRESSED_REASON = 'keelson.suppressed.reason';
export const ATTR_CACHE_RESULT = 'keelson.cache.result';
export const ATTR_SIGNAL = 'keelson.signal';

/**
 * Attributes of the resource that are a label of every series in Prometheus; the others are on `target_info` only. The endpoint puts them there itself;
 * for what comes as OTLP, `promote_resource_attributes` of the shipped `prometheus.yml` is the same list.
 */
export const PROMOTED_RESOURCE_ATTRIBUTES: readonly string[] = [
  'service.name',
  'service.namespace',
  'service.instance.id',
  'service.version',
  'deployment.environment.name',
  'host.name',
];

/** What stands for a value that is past the limit of distinct ones. */
export const OTHER = '_OTHER';

// Names of log events.
export const EVENT_BREAKER_TRANSITION = 'keelson.breaker.transition';
export const EVENT_SIGNAL_IGNORED = 'keelson.signal.ignored';
export const EVENT_MISTAKE_HIDDEN = 'keelson.mistake.hidden';
export const EVENT_CALL_FAILED = 'keelson.call.failed';

/** One instrument, as code and documentation need it. */
export interface MetricDefinition {
  readonly name: string;
  readonly instrument: 'counter' | 'updowncounter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
}

/** Bounds of `keelson.call.duration`, in seconds: the conventions' own for HTTP, with finer steps below and longer calls above. */
export const CALL_DURATION_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60,
];

export const METRIC_CALLS: MetricDefinition = {
  name: 'keelson.calls',
  instrument: 'counter',
  unit: '{call}',
  description: 'Guarded calls by how they ended.',
  attributes: [ATTR_GUARD_NAME, ATTR_OUTCOME, ATTR_ORIGIN],
};

export const METRIC_CALL_DURATION: MetricDefinition = {
  name: 'keelson.call.duration',
  instrument: 'histogram',
  unit: 's',
  description: 'Duration of guarded calls, waits and retries included.',
  attributes: [ATTR_GUARD_NAME, ATTR_OPERATION_NAME, ATTR_OUTCOME, ATTR_ERROR_TYPE],
};

export const METRIC_CALL_ABANDONED: MetricDefinition = {
  name: 'keelson.call.abandoned',
  instrument: 'updowncounter',
  unit: '{call}',
  description: 'Functions that are still running although their call has already ended.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_ATTEMPTS: MetricDefinition = {
  name: 'keelson.attempts',
  instrument: 'counter',
  unit: '{attempt}',
  description: 'Executions of guarded functions by how they ended.',
  attributes: [ATTR_GUARD_NAME, ATTR_OUTCOME],
};

export const METRIC_RETRY_SUPPRESSED: MetricDefinition = {
  name: 'keelson.retry.suppressed',
  instrument: 'counter',
  unit: '{retry}',
  description: 'Retries that were not made, by the reason.',
  attributes: [ATTR_GUARD_NAME, ATTR_REASON],
};

export const METRIC_REJECTIONS: MetricDefinition = {
  name: 'keelson.rejections',
  instrument: 'counter',
  unit: '{call}',
  description: 'Calls and further attempts that a policy refused.',
  attributes: [ATTR_GUARD_NAME, ATTR_POLICY_NAME, ATTR_REASON],
};

export const METRIC_WAIT_TIME: MetricDefinition = {
  name: 'keelson.wait.time',
  instrument: 'counter',
  unit: 's',
  description: 'Time that calls spent waiting for a policy: in backoff or in a queue.',
  attributes: [ATTR_GUARD_NAME, ATTR_POLICY_NAME],
};

export const METRIC_BREAKER_STATE: MetricDefinition = {
  name: 'keelson.breaker.state',
  instrument: 'gauge',
  unit: '{state}',
  description: 'The state of the circuit breaker: 1 for the one it is in, 0 for the others.',
  attributes: [ATTR_GUARD_NAME, ATTR_BREAKER_STATE],
};

export const METRIC_BREAKER_TRANSITIONS: MetricDefinition = {
  name: 'keelson.breaker.transitions',
  instrument: 'counter',
  unit: '{transition}',
  description: 'State changes of the circuit breaker.',
  attributes: [ATTR_GUARD_NAME, ATTR_BREAKER_FROM, ATTR_BREAKER_TO],
};

export const METRIC_BULKHEAD_ACTIVE: MetricDefinition = {
  name: 'keelson.bulkhead.active',
  instrument: 'gauge',
  unit: '{call}',
  description: 'Calls that hold a slot of the bulkhead.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_BULKHEAD_LIMIT: MetricDefinition = {
  name: 'keelson.bulkhead.limit',
  instrument: 'gauge',
  unit: '{call}',
  description: 'Slots of the bulkhead.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_BULKHEAD_QUEUED: MetricDefinition = {
  name: 'keelson.bulkhead.queued',
  instrument: 'gauge',
  unit: '{call}',
  description: 'Calls that wait for a slot of the bulkhead.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_BULKHEAD_QUEUE_LIMIT: MetricDefinition = {
  name: 'keelson.bulkhead.queue.limit',
  instrument: 'gauge',
  unit: '{call}',
  description: 'Calls that may wait for a slot of the bulkhead.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_BULKHEAD_WAIT: MetricDefinition = {
  name: 'keelson.bulkhead.wait.duration',
  instrument: 'histogram',
  unit: 's',
  description: 'How long calls waited for a slot of the bulkhead; those that did not wait are not in it.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_RATE_LIMITER_AVAILABLE: MetricDefinition = {
  name: 'keelson.rate_limiter.available',
  instrument: 'gauge',
  unit: '{token}',
  description: 'Calls that the rate limit would let start at once.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_RATE_LIMITER_LIMIT: MetricDefinition = {
  name: 'keelson.rate_limiter.limit',
  instrument: 'gauge',
  unit: '{token}',
  description: 'Calls that the rate limit lets start in a period.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_CACHE_REQUESTS: MetricDefinition = {
  name: 'keelson.cache.requests',
  instrument: 'counter',
  unit: '{request}',
  description: 'Calls with a cache key by how the cache answered.',
  attributes: [ATTR_GUARD_NAME, ATTR_CACHE_RESULT],
};

export const METRIC_CACHE_ENTRIES: MetricDefinition = {
  name: 'keelson.cache.entries',
  instrument: 'gauge',
  unit: '{entry}',
  description: 'Keys that the cache holds.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_RATE_LIMITER_STORE_FAILURES: MetricDefinition = {
  name: 'keelson.rate_limiter.store.failures',
  instrument: 'counter',
  unit: '{failure}',
  description:
    'Questions to the shared store of a rate limit that failed or took too long; what then happens is an option.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_RATE_LIMITER_UNLIMITED: MetricDefinition = {
  name: 'keelson.rate_limiter.unlimited',
  instrument: 'counter',
  unit: '{call}',
  description: 'Calls that went on without a limit, since its shared store was away and the guard lets them.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_CACHE_TIER_FAILURES: MetricDefinition = {
  name: 'keelson.cache.tier.failures',
  instrument: 'counter',
  unit: '{failure}',
  description:
    'Operations of the second tier of a cache that failed or took too long; the calls went on without it.',
  attributes: [ATTR_GUARD_NAME],
};

export const METRIC_GUARD_KEYS: MetricDefinition = {
  name: 'keelson.guard.keys',
  instrument: 'gauge',
  unit: '{key}',
  description: 'Keys with state of their own, by the state of their breaker.',
  attributes: [ATTR_GUARD_NAME, ATTR_BREAKER_STATE],
};

export const METRIC_TELEMETRY_EXPORTED: MetricDefinition = {
  name: 'keelson.telemetry.exported',
  instrument: 'counter',
  unit: '{item}',
  description: 'Spans, metric points and log records that a backend took.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_DROPPED: MetricDefinition = {
  name: 'keelson.telemetry.dropped',
  instrument: 'counter',
  unit: '{item}',
  description: 'Spans, metric points and log records that were lost, by the reason.',
  attributes: [ATTR_SIGNAL, ATTR_REASON],
};

export const METRIC_TELEMETRY_DRAINED: MetricDefinition = {
  name: 'keelson.telemetry.drained',
  instrument: 'counter',
  unit: '{item}',
  description:
    'Of what a backend took, the items that had waited on disk; its rate is how fast the backlog shrinks.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_RETRIES: MetricDefinition = {
  name: 'keelson.telemetry.retries',
  instrument: 'counter',
  unit: '{request}',
  description: 'Requests that a backend did not take and that were to be sent again.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_BACKLOG: MetricDefinition = {
  name: 'keelson.telemetry.backlog',
  instrument: 'updowncounter',
  unit: '{item}',
  description: 'Spans, metric points and log records that wait for a backend, on disk or in memory.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_BACKLOG_SIZE: MetricDefinition = {
  name: 'keelson.telemetry.backlog.size',
  instrument: 'updowncounter',
  unit: 'By',
  description: 'Bytes that wait for a backend, on disk or in memory.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_OLDEST_AGE: MetricDefinition = {
  name: 'keelson.telemetry.oldest.age',
  instrument: 'gauge',
  unit: 's',
  description: 'For how long the oldest of the backlog has waited; 0 where nothing waits.',
  attributes: [ATTR_SIGNAL],
};

export const METRIC_TELEMETRY_LAST_SUCCESS: MetricDefinition = {
  name: 'keelson.telemetry.last_success',
  instrument: 'gauge',
  unit: 's',
  description: 'When a backend took something last, in seconds since 1970; 0 for never.',
  attributes: [ATTR_SIGNAL],
};

/** Every metric about the telemetry itself, in the order of the README's table, which a test compares. @public */
export const TELEMETRY_METRICS: readonly MetricDefinition[] = [
  METRIC_TELEMETRY_EXPORTED,
  METRIC_TELEMETRY_DROPPED,
  METRIC_TELEMETRY_DRAINED,
  METRIC_TELEMETRY_RETRIES,
  METRIC_TELEMETRY_BACKLOG,
  METRIC_TELEMETRY_BACKLOG_SIZE,
  METRIC_TELEMETRY_OLDEST_AGE,
  METRIC_TELEMETRY_LAST_SUCCESS,
];

/** Every metric about guards, in the order of the README's table, which a test compares. @public */
export const GUARD_METRICS: readonly MetricDefinition[] = [
  METRIC_CALLS,
  METRIC_CALL_DURATION,
  METRIC_CALL_ABANDONED,
  METRIC_ATTEMPTS,
  METRIC_RETRY_SUPPRESSED,
  METRIC_REJECTIONS,
  METRIC_WAIT_TIME,
  METRIC_BREAKER_STATE,
  METRIC_BREAKER_TRANSITIONS,
  METRIC_BULKHEAD_ACTIVE,
  METRIC_BULKHEAD_LIMIT,
  METRIC_BULKHEAD_QUEUED,
  METRIC_BULKHEAD_QUEUE_LIMIT,
  METRIC_BULKHEAD_WAIT,
  METRIC_RATE_LIMITER_AVAILABLE,
  METRIC_RATE_LIMITER_LIMIT,
  METRIC_RATE_LIMITER_STORE_FAILURES,
  METRIC_RATE_LIMITER_UNLIMITED,
  METRIC_CACHE_REQUESTS,
  METRIC_CACHE_ENTRIES,
  METRIC_CACHE_TIER_FAILURES,
  METRIC_GUARD_KEYS,
];
