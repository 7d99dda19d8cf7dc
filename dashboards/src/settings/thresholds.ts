/** How long an alert waits before it fires, and goes on after its cause; durations such as `5m`. */
export interface Timing {
  readonly for: string;
  readonly keepFiringFor: string;
}

interface Ratio extends Timing {
  readonly ratio: number;
}

interface RatioOfTraffic extends Ratio {
  readonly minimumRate: number;
}

interface Rate extends Timing {
  readonly rate: number;
}

/** The figures that users can change, by alert. `settings.yaml` explains them. */
export interface Thresholds {
  readonly CircuitBreakerOpen: Timing;
  readonly CircuitBreakerFlapping: Timing & { readonly openings: number };
  readonly CircuitBreakerHeldByHand: Timing;
  readonly KeyedCircuitBreakersOpen: Ratio & { readonly keys: number };
  readonly CallFailureRatioHigh: RatioOfTraffic;
  readonly CallTimeoutRatioHigh: RatioOfTraffic;
  readonly AttemptFailureRatioHigh: RatioOfTraffic;
  readonly RetryStorm: Timing & { readonly attemptsPerCall: number; readonly minimumRate: number };
  readonly RetryBudgetExhausted: Ratio;
  readonly AbandonedCallsHigh: Timing & { readonly calls: number };
  readonly FallbackInUse: Ratio;
  readonly StaleValuesServed: Ratio;
  readonly BulkheadNearlySaturated: Ratio;
  readonly BulkheadSaturated: Ratio & { readonly rejectedRatio: number };
  readonly RateLimitRejections: Ratio;
  readonly RateLimitStoreFailing: Rate;
  readonly CacheTierFailing: Rate;
  readonly ErrorBudgetBurn: Timing;
  readonly HostCpuHigh: Ratio;
  readonly HostCpuCritical: Ratio;
  readonly HostMemoryHigh: Ratio;
  readonly HostMemoryCritical: Ratio;
  readonly HostDiskHigh: Ratio;
  readonly HostDiskCritical: Ratio;
  readonly HostDiskFilling: Ratio & { readonly hours: number };
  readonly HostInodesHigh: Ratio;
  readonly HostPressureHigh: Ratio;
  readonly ContainerMemoryCritical: Ratio;
  readonly ContainerThrottled: Ratio;
  readonly EventLoopDelayed: Timing & { readonly seconds: number };
  readonly EventLoopSaturated: Ratio;
  readonly ProcessMemoryGrowing: Ratio & { readonly hours: number };
  readonly GcTimeHigh: Ratio;
  readonly HeapNearLimit: Ratio;
  readonly FileDescriptorsNearLimit: Ratio;
  readonly ServiceRestartLoop: Ratio;
  readonly ServiceTelemetryMissing: Timing;
  readonly JournalBacklog: Timing & { readonly seconds: number };
  readonly AppTelemetryDropped: Timing & { readonly items: number };
  readonly CollectorDown: Timing;
  readonly CollectorExportStalled: Timing;
  readonly CollectorDroppingData: Rate;
  readonly CollectorRefusingData: Rate;
  readonly CollectorQueueAlmostFull: Ratio;
  readonly CollectorMemoryHigh: Timing & { readonly bytes: number };
  readonly TargetDown: Timing;
  readonly ConfigReloadFailed: Timing;
  readonly PrometheusRuleFailures: Timing & { readonly failures: number };
  readonly PrometheusRulesSlow: Ratio;
  readonly PrometheusNotConnectedToAlertmanager: Timing;
  readonly PrometheusRejectingSamples: Timing & { readonly samples: number };
  readonly AlertmanagerNotificationsFailing: Ratio;
}

/** The range of a figure; `hint` says what to write. */
export interface Range {
  readonly above: number;
  readonly atMost: number;
  readonly hint: string;
}

/** A figure, or a duration. */
export type Figure = Range | 'duration';

type Figures<T> = { readonly [K in keyof T]: Figure };

const timing: Figures<Timing> = { for: 'duration', keepFiringFor: 'duration' };
const share: Range = { above: 0, atMost: 1, hint: 'Use 0.05 for five percent.' };
const fromZero = (atMost: number, hint: string): Range => ({ above: -Number.MIN_VALUE, atMost, hint });
const perSecond = fromZero(1e6, 'It is a rate per second.');
const ratio: Figures<Ratio> = { ...timing, ratio: share };
const ofTraffic: Figures<RatioOfTraffic> = { ...ratio, minimumRate: perSecond };
const rate: Figures<Rate> = { ...timing, rate: perSecond };
const hours: Range = { above: 0, atMost: 720, hint: 'It is a number of hours.' };
const count = fromZero(1e9, 'It is a number of things.');

/** What a threshold file may hold, and must. */
export const FIGURES: { readonly [A in keyof Thresholds]: Figures<Thresholds[A]> } = {
  CircuitBreakerOpen: timing,
  CircuitBreakerFlapping: { ...timing, openings: count },
  CircuitBreakerHeldByHand: timing,
  KeyedCircuitBreakersOpen: { ...ratio, keys: count },
  CallFailureRatioHigh: ofTraffic,
  CallTimeoutRatioHigh: ofTraffic,
  AttemptFailureRatioHigh: ofTraffic,
  RetryStorm: {
    ...timing,
    attemptsPerCall: { above: 1, atMost: 100, hint: 'Use 1.5 for one retry at every second call.' },
    minimumRate: perSecond,
  },
  RetryBudgetExhausted: ratio,
  AbandonedCallsHigh: { ...timing, calls: count },
  FallbackInUse: ratio,
  StaleValuesServed: ratio,
  BulkheadNearlySaturated: ratio,
  BulkheadSaturated: { ...ratio, rejectedRatio: share },
  RateLimitRejections: ratio,
  RateLimitStoreFailing: rate,
  CacheTierFailing: rate,
  ErrorBudgetBurn: timing,
  HostCpuHigh: ratio,
  HostCpuCritical: ratio,
  HostMemoryHigh: ratio,
  HostMemoryCritical: ratio,
  HostDiskHigh: ratio,
  HostDiskCritical: ratio,
  HostDiskFilling: { ...ratio, hours },
  HostInodesHigh: ratio,
  HostPressureHigh: ratio,
  ContainerMemoryCritical: ratio,
  ContainerThrottled: ratio,
  EventLoopDelayed: { ...timing, seconds: { above: 0, atMost: 60, hint: 'It is a number of seconds.' } },
  EventLoopSaturated: ratio,
  ProcessMemoryGrowing: { ...ratio, hours },
  GcTimeHigh: ratio,
  HeapNearLimit: ratio,
  FileDescriptorsNearLimit: ratio,
  ServiceRestartLoop: {
    ...timing,
    ratio: { above: 1, atMost: 1_000, hint: 'Use 4 for four times as many instances as run now.' },
  },
  ServiceTelemetryMissing: timing,
  JournalBacklog: { ...timing, seconds: fromZero(7 * 86_400, 'It is a number of seconds.') },
  AppTelemetryDropped: { ...timing, items: count },
  CollectorDown: timing,
  CollectorExportStalled: timing,
  CollectorDroppingData: rate,
  CollectorRefusingData: rate,
  CollectorQueueAlmostFull: ratio,
  CollectorMemoryHigh: {
    ...timing,
    bytes: { above: 0, atMost: 2 ** 50, hint: 'It is a number of bytes: 268435456 for 256 MiB.' },
  },
  TargetDown: timing,
  ConfigReloadFailed: timing,
  PrometheusRuleFailures: { ...timing, failures: count },
  PrometheusRulesSlow: ratio,
  PrometheusNotConnectedToAlertmanager: timing,
  PrometheusRejectingSamples: { ...timing, samples: count },
  AlertmanagerNotificationsFailing: ratio,
};

/** Pairs that only make sense in this order: the first alert warns before the second one pages. */
export const ORDERED: readonly (readonly [lower: keyof Thresholds, higher: keyof Thresholds])[] = [
  ['BulkheadNearlySaturated', 'BulkheadSaturated'],
  ['HostCpuHigh', 'HostCpuCritical'],
  ['HostMemoryHigh', 'HostMemoryCritical'],
  ['HostDiskHigh', 'HostDiskCritical'],
];

/** Bounds of the span metrics' histogram in seconds, as far as they suit an objective (defaults of the Collector's `span_metrics`). */
export const LATENCY_BOUNDS: readonly number[] = [0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15];
