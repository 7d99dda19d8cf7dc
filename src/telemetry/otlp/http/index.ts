export type { SendResult } from './answer.ts';
export { backoffMs } from './backoff.ts';
export { HttpTransport } from './http-transport.ts';
export type { OtlpTransport } from './http-transport.ts';
export { DEFAULT_OTLP_ENDPOINT, isHttpUrl, shownUrl, signalUrl } from './settings.ts';
export type { OtlpSettings } from './settings.ts';
