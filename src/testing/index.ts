export type { Chaos, ChaosCounts } from './chaos.ts';
export { chaos } from './chaos.ts';
export type {
  ChaosKind,
  ChaosOptions,
  ChaosSwitch,
  FaultOptions,
  LatencyOptions,
  OutcomeOptions,
} from './chaos-options.ts';
export { ChaosError } from './chaos-options.ts';
export type { ExpectedCall } from './expected-call.ts';
export { FakeClock, settlePromises } from './fake-clock.ts';
export type {
  ContractTest,
  LimiterStoreContractOptions,
  LimiterStoreSeat,
} from './limiter-store-contract.ts';
export { limiterStoreContract } from './limiter-store-contract.ts';
export { recordTelemetry } from './record-telemetry.ts';
export type { Point, RecordedTelemetry, RecordOptions } from './recorded-telemetry.ts';
export { seededRandom } from './seeded-random.ts';
