export { withoutEmptyKeys } from './empty-keys.ts';
export { withoutEndedSeries } from './ended-series.ts';
export { ExemplarStore } from './exemplar-store.ts';
export type { Exemplar } from './exemplar-store.ts';
export { warnOfOverflow } from './metric-overflow.ts';
export { countPoints, metricsEncoder, writableMetrics } from './metrics.ts';
export { encodeLogs, encodeSpans, writableItems } from './spans-and-logs.ts';
export { isInt64, jsonDouble, jsonInt } from './values.ts';
