import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { Clock } from '../../../core/time/clock.ts';
import { systemCode } from '../../../storage/index.ts';
import { judgeAnswer } from './answer.ts';
import type { LaterReason, SendResult } from './answer.ts';
import type { OtlpSettings } from './settings.ts';

/** Sends encoded batches to one endpoint. */
export interface OtlpTransport {
  /** Sends one batch. @returns a promise that never rejects */
  send(body: Uint8Array): Promise<SendResult>;
  /** Breaks off the requests under way, and closes idle connections. */
  close(): void;
}

/** How the error codes of Node's HTTP parser begin. They mean that another protocol answered, such as gRPC. */
const NO_HTTP = 'HPE_';
const MAX_ANSWER_BYTES = 64 * 1_024;
const compress = promisify(gzip);

interface Exchange {
  readonly response: IncomingMessage;
  readonly text: string;
  readonly isWhole: boolean;
}

class TimedOut extends Error {}

/**
 * Sends OTLP/HTTP with JSON over Node's own client. Its connections and timers do not keep the process alive: a caller that flushes has a deadline of
 * its own. Its requests are not traced.
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
    const later = (reason: LaterReason, detail: string): SendResult => ({
      status: 'later',
      reason,
      detail,
      retryAfterMs: undefined,
    });
    try {
      const zipped = this.#settings.compression === 'gzip';
      const bytes = zipped ? await compress(body) : body;
      if (this.#closed) return later('unreachable', 'closed');
      const { response, text, isWhole } = await this.#exchange(bytes, zipped);
      const { headers } = response;
      const answer = {
        status: response.statusCode ?? 0,
        contentType: headers['content-type'],
        retryAfter: headers['retry-after'],
        text,
        isWhole,
      };
      return judgeAnswer(answer, this.#clock.epoch());
    } catch (error) {
      if (error instanceof TimedOut)
        return later('timeout', `no answer within ${this.#settings.timeoutMs} ms`);
      const code = systemCode(error);
      if (code.startsWith(NO_HTTP)) return later('refused', `no HTTP is spoken there (${code})`);
      return later('unreachable', code === 'UNKNOWN' ? 'request failed' : code);
    }
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #exchange(bytes: Uint8Array, zipped: boolean): Promise<Exchange> {
    return context.with(
      suppressTracing(context.active()),
      () =>
        new Promise<Exchange>((resolve, reject) => {
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
              const text = Buffer.concat(chunks).toString('utf8');
              resolve({ response, text, isWhole: size <= MAX_ANSWER_BYTES });
            });
            // An answer that breaks off has no end, and not always an error.
            response.on('close', () => fail(new Error('The answer broke off.')));
          });
          request.end(bytes);
        }),
    );
  }
}
