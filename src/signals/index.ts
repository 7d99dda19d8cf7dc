export { bindSignals } from './bind-signals.ts';
export { DurationAttributes } from './duration-attributes.ts';
export type { RequestIdHolder } from './request-id.ts';
export { isRequestId, requestIdFrom, requestIdMaker } from './request-id.ts';
export type { Providers } from './signals.ts';
export { Signals } from './signals.ts';
export type { CallSpan, CallSummary } from './spans.ts';
