import type { Signal } from '../../semconv.ts';

/** How one signal reaches its OTLP/HTTP endpoint. */
export interface OtlpSettings {
  readonly url: string;
  /** Headers of each request. They can hold secrets, and Keelson never prints them. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  /** PEM texts for an https endpoint. */
  readonly tls: {
    readonly ca?: Buffer | undefined;
    readonly key?: Buffer | undefined;
    readonly cert?: Buffer | undefined;
  };
}

/** The base URL at which OTLP/HTTP receivers listen by convention. */
export const DEFAULT_OTLP_ENDPOINT = 'http://localhost:4318';

/** The path of each signal below an endpoint. */
const PATHS: Readonly<Record<Signal, string>> = {
  traces: 'v1/traces',
  metrics: 'v1/metrics',
  logs: 'v1/logs',
};

/** @returns whether OTLP can be sent to a URL: it is http or https, and has a host */
export function isHttpUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
}

/** Joins a base endpoint and the path of a signal, as the specification does. @throws {TypeError} if `endpoint` is no URL */
export function signalUrl(endpoint: string, signal: Signal): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${PATHS[signal]}`;
  return url.href;
}

/** An address without user, password and query, for messages. `(not a URL)` for anything else. */
export function shownUrl(value: string): string {
  const url = URL.parse(value);
  return url === null ? '(not a URL)' : `${url.protocol}//${url.host}${url.pathname}`;
}
