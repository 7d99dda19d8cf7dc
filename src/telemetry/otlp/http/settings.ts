import type { Signal } from '../../semconv.ts';

/** How one signal reaches its OTLP/HTTP endpoint. */
export interface OtlpSettings {
  readonly url: string;
  /** Sent with each request; may hold secrets and is never printed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for each attempt. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  /** PEM texts for https. */
  readonly tls: {
    readonly ca?: Buffer | undefined;
    readonly key?: Buffer | undefined;
    readonly cert?: Buffer | undefined;
  };
}

/** Where OTLP/HTTP receivers listen by convention. */
export const DEFAULT_OTLP_ENDPOINT = 'http://localhost:4318';

/** The path of each signal below an endpoint. */
const PATHS: Readonly<Record<Signal, string>> = {
  traces: 'v1/traces',
  metrics: 'v1/metrics',
  logs: 'v1/logs',
};

/** @returns whether OTLP can be sent there: http or https, with a host */
export function isHttpUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
}

/** A base endpoint and the path of the signal, as the specification joins them. */
export function signalUrl(endpoint: string, signal: Signal): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${PATHS[signal]}`;
  return url.href;
}

/** An address without user, password and query, fit for a message. */
export function shownUrl(value: string): string {
  const url = URL.parse(value);
  return url === null ? '(not a URL)' : `${url.protocol}//${url.host}${url.pathname}`;
}
