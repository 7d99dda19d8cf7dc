export { readEnvironment } from './environment.ts';
export type { BatchSettings, DetectorName, DiagLevel, EnvironmentSettings } from './environment.ts';
export { readOtlp } from './otlp.ts';
export { ENVIRONMENT } from './table.ts';
export type { EnvironmentAnswer, EnvironmentRow } from './table.ts';
export { VariableReader } from './variable-reader.ts';
export type { Variables } from './variable-reader.ts';
