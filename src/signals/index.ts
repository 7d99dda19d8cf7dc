export { DurationAttributes } from './duration-attributes.ts';
export { setExemplarPort } from './exemplars.ts';
export type { ExemplarPort, ExemplarSeries } from './exemplars.ts';
export { createObservable } from './observable.ts';
export type { RequestIdHolder } from './request-id.ts';
export { isRequestId, requestIdFrom, requestIdMaker } from './request-id.ts';
export type { Providers } from './signals.ts';
export { bindSignals, Signals } from './signals.ts';
export type { CallSpan, CallSummary } from './spans.ts';
