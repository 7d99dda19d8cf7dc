import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

/** The signals, as the paths of OTLP/HTTP name them. */
export type ReceivedSignal = 'traces' | 'metrics' | 'logs';

/** One span as OTLP JSON has it, as far as tests look. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly ReceivedAttribute[];
}

/** One log record as OTLP JSON has it, as far as tests look. */
export interface ReceivedLog {
  readonly body: { readonly stringValue?: string };
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly eventName?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly attributes: readonly ReceivedAttribute[];
}

/** One metric as OTLP JSON has it, as far as tests look. */
export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: ReceivedPoints;
  readonly gauge?: ReceivedPoints;
  readonly histogram?: ReceivedPoints;
  readonly exponentialHistogram?: ReceivedPoints;
}

/** The points of a metric. */
export interface ReceivedPoints {
  readonly aggregationTemporality?: number;
  readonly dataPoints: readonly {
    readonly attributes: readonly ReceivedAttribute[];
    readonly exemplars?: readonly {
      readonly timeUnixNano: string;
      readonly asDouble: number;
      readonly traceId: string;
      readonly spanId: string;
    }[];
    readonly asInt?: number | string;
    readonly asDouble?: number | string;
  }[];
}

/** One attribute as OTLP JSON has it. */
export interface ReceivedAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A request that came in. */
export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: ReceivedBody;
}

/** An OTLP request of any signal. */
export interface ReceivedBody {
  readonly resourceSpans?: readonly {
    readonly resource: ReceivedResource;
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
  readonly resourceLogs?: readonly {
    readonly resource: ReceivedResource;
    readonly scopeLogs: readonly { readonly logRecords: readonly ReceivedLog[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly resource: ReceivedResource;
    readonly scopeMetrics: readonly { readonly metrics: readonly ReceivedMetric[] }[];
  }[];
}

/** The resource of a request. */
export interface ReceivedResource {
  readonly attributes: readonly ReceivedAttribute[];
}

/**
 * What the receiver does with requests: takes them; answers with a status (and perhaps a body and headers); takes them in and never answers.
 */
export type ReceiverMode =
  | 'take'
  | 'hang'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

const PATHS: Readonly<Record<ReceivedSignal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
};

/** The attributes as a plain record; the value is whatever the one field of the `AnyValue` holds. */
export function attributesOf(list: readonly ReceivedAttribute[]): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** An OTLP/HTTP receiver in memory, over real HTTP on a free loopback port. Use with `await using`. */
export class OtlpReceiver {
  mode: ReceiverMode = 'take';
  /** Bodies that are larger are answered with 413. */
  maxBytes: number = Number.POSITIVE_INFINITY;
  /** Requests that were taken. */
  readonly requests: ReceivedRequest[] = [];
  /** Requests that came in, whatever became of them. */
  attempts = 0;
  readonly #server: Server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await receiver.listen(0);
    return receiver;
  }

  /** The base URL, as `OTEL_EXPORTER_OTLP_ENDPOINT` wants it. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; 0 takes any free port. After `close`, the port from before makes the receiver come back where it was. */
  listen(port: number = this.#port): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: '127.0.0.1', port }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  /** Stops listening and breaks every connection off: from then on connections are refused. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  of(signal: ReceivedSignal): readonly ReceivedRequest[] {
    return this.requests.filter((request) => request.path.endsWith(PATHS[signal]));
  }

  get spans(): readonly ReceivedSpan[] {
    return this.requests
      .flatMap(({ body }) => body.resourceSpans ?? [])
      .flatMap((each) => each.scopeSpans)
      .flatMap((each) => each.spans);
  }

  get logs(): readonly ReceivedLog[] {
    return this.requests
      .flatMap(({ body }) => body.resourceLogs ?? [])
      .flatMap((each) => each.scopeLogs)
      .flatMap((each) => each.logRecords);
  }

  /** Every metric of every push, the newest push last. */
  get metrics(): readonly ReceivedMetric[] {
    return this.requests
      .flatMap(({ body }) => body.resourceMetrics ?? [])
      .flatMap((each) => each.scopeMetrics)
      .flatMap((each) => each.metrics);
  }

  /** Waits until `condition` holds. @throws after `limitMs`, with `what` in the message */
  async until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
    await eventually(condition, what, limitMs);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      this.attempts += 1;
      const raw = Buffer.concat(chunks);
      const mode = raw.byteLength > this.maxBytes ? { status: 413 } : this.mode;
      if (mode === 'hang') return;
      if (mode !== 'take' && (mode.status < 200 || mode.status > 299)) {
        response.writeHead(mode.status, mode.headers).end(mode.body ?? '');
        return;
      }
      const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
      const body: ReceivedBody = JSON.parse(bytes.toString('utf8'));
      this.requests.push({ path: request.url ?? '', headers: request.headers, body });
      const answer = mode === 'take' ? '{}' : (mode.body ?? '{}');
      response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
  }
}

const POLL_MS = 10;

/** Polls for something that another process or a real socket does. @throws after `limitMs`, with `what` in the message */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 10_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${limitMs} ms in vain for ${what}.`);
    await pause(POLL_MS);
  }
}
