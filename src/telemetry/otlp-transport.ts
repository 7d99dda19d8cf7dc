import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';

import type { Clock } from '../core/clock.ts';
import { systemCode } from '../storage/index.ts';
import type { DropReason } from './counts.ts';
import type { OtlpSettings } from './environment-otlp.ts';

/** How a request to an OTLP receiver ended. */
export type SendResult =
  /** Taken; `refused` of the items were not (partial success). */
  | { readonly status: 'taken'; readonly refused: number; readonly detail: string | undefined }
  /** Worth another try. */
  | {
      readonly status: 'later';
      readonly reason: Extract<DropReason, 'unreachable' | 'timeout' | 'unavailable'>;
      readonly detail: string;
      readonly retryAfterMs: number | undefined;
    }
  /** Refused for good. */
  | { readonly status: 'refused'; readonly detail: string };

/** Sends encoded batches to one endpoint. */
export interface OtlpTransport {
  /** @returns a promise that never rejects */
  send(body: Uint8Array): Promise<SendResult>;
  /** Breaks off what is under way and closes idle connections. */
  close(): void;
}

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const MAX_ANSWER_BYTES = 64 * 1_024;
const compress = promisify(gzip);

class TimedOut extends Error {}

/** Reads `Retry-After`: seconds, or a date. */
function retryAfter(value: string | undefined, epochMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1_000 : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - epochMs);
}

/** Reads an OTLP answer: which items of a batch were refused although the request was taken. */
function partialSuccess(text: string): { readonly refused: number; readonly detail: string | undefined } {
  try {
    const answer: unknown = JSON.parse(text);
    const partial = isRecord(answer) ? answer['partialSuccess'] : undefined;
    if (!isRecord(partial)) return { refused: 0, detail: undefined };
    const count =
      partial['rejectedSpans'] ?? partial['rejectedDataPoints'] ?? partial['rejectedLogRecords'] ?? 0;
    const message = partial['errorMessage'];
    const refused = Number(count);
    return {
      refused: Number.isSafeInteger(refused) && refused > 0 ? refused : 0,
      detail: typeof message === 'string' && message !== '' ? message.slice(0, 200) : undefined,
    };
  } catch {
    return { refused: 0, detail: undefined };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * OTLP/HTTP with JSON, over Node's own client. Connections and timers do not keep the process alive: whoever flushes waits with a deadline of
 * its own. The requests are not traced.
 */
export class HttpTransport implements OtlpTransport {
  readonly #settings: OtlpSettings;
  readonly #clock: Clock;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  #closed = false;

  constructor(settings: OtlpSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#url = new URL(settings.url);
    const { ca, key, cert } = settings.tls;
    this.#agent =
      this.#url.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, ...(ca && { ca }), ...(key && { key }), ...(cert && { cert }) })
        : new HttpAgent({ keepAlive: true });
  }

  async send(body: Uint8Array): Promise<SendResult> {
    try {
      const zipped = this.#settings.compression === 'gzip';
      const bytes = zipped ? await compress(body) : body;
      if (this.#closed) return { status: 'refused', detail: 'closed' };
      const { response, text } = await this.#exchange(bytes, zipped);
      return this.#judge(response, text);
    } catch (error) {
      if (error instanceof TimedOut) {
        const detail = `no answer within ${this.#settings.timeoutMs} ms`;
        return { status: 'later', reason: 'timeout', detail, retryAfterMs: undefined };
      }
      const detail = systemCode(error) === 'UNKNOWN' ? 'request failed' : systemCode(error);
      return { status: 'later', reason: 'unreachable', detail, retryAfterMs: undefined };
    }
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #judge(response: IncomingMessage, text: string): SendResult {
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return { status: 'taken', ...partialSuccess(text) };
    const detail = `HTTP ${status}`;
    if (!RETRYABLE.has(status)) return { status: 'refused', detail };
    const retryAfterMs = retryAfter(response.headers['retry-after'], this.#clock.epoch());
    return { status: 'later', reason: 'unavailable', detail, retryAfterMs };
  }

  #exchange(
    bytes: Uint8Array,
    zipped: boolean,
  ): Promise<{ readonly response: IncomingMessage; readonly text: string }> {
    return context.with(
      suppressTracing(context.active()),
      () =>
        new Promise<{ readonly response: IncomingMessage; readonly text: string }>((resolve, reject) => {
          const start = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
          const request = start(this.#url, {
            method: 'POST',
            agent: this.#agent,
            headers: {
              ...this.#settings.headers,
              'content-type': 'application/json',
              'content-length': bytes.byteLength,
              ...(zipped && { 'content-encoding': 'gzip' }),
            },
          });
          const timer = this.#clock.setTimer(() => request.destroy(new TimedOut()), this.#settings.timeoutMs);
          timer.unref();
          const fail = (error: unknown): void => {
            timer.cancel();
            reject(error instanceof Error ? error : new Error(String(error)));
          };
          request.on('socket', (socket) => socket.unref());
          request.on('error', fail);
          request.on('response', (response) => {
            const chunks: Buffer[] = [];
            let size = 0;
            response.on('data', (chunk: Buffer) => {
              size += chunk.byteLength;
              if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
            });
            response.on('error', fail);
            response.on('end', () => {
              timer.cancel();
              resolve({ response, text: Buffer.concat(chunks).toString('utf8') });
            });
            // An answer that breaks off has neither an end nor, always, an error.
            response.on('close', () => fail(new Error('The answer broke off.')));
          });
          request.end(bytes);
        }),
    );
  }
}
