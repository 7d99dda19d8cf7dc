import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Attributes } from '@opentelemetry/api';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { errorName } from '../../core/error-name.ts';
import { systemCode } from '../../storage/index.ts';
import { warnOfOverflow, withoutEmptyKeys, withoutEndedSeries } from '../otlp/encode/index.ts';
import type { Exemplar } from '../otlp/encode/index.ts';
import type { Warn } from '../warnings/warner.ts';
import { exposition } from './exposition.ts';
import { acceptsGzip, negotiate } from './negotiation.ts';
import { PullReader } from './pull-reader.ts';

const PATH = '/metrics';
const REQUEST_TIMEOUT_MS = 10_000;
/** A callback that takes longer is left out: Prometheus itself waits ten seconds by default. */
const COLLECT_TIMEOUT_MS = 5_000;

/** What a {@link PrometheusEndpoint} takes. */
export interface PrometheusEndpointOptions {
  /** The address to listen at. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Takes one warning if the endpoint cannot listen, and one for each metric whose name or unit Prometheus would not take. */
  readonly warn: Warn;
  /** The exemplars of a series; read at each scrape. */
  readonly exemplars: (instrument: string, attributes: Attributes) => readonly Exemplar[];
}

/**
 * The metrics for a Prometheus that scrapes, under the names that they have when they come as OTLP. A scrape is neither traced nor measured, and
 * is written in slices between which everything else has its turn.
 */
export class PrometheusEndpoint {
  /** Goes to the meter provider. */
  readonly reader: PullReader = new PullReader();
  /** Settles when the endpoint listens, or is known not to; never rejects. */
  readonly ready: Promise<void>;
  readonly #options: PrometheusEndpointOptions;
  readonly #server: Server;
  #url: string | undefined;

  constructor(options: PrometheusEndpointOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#breakOff(response, error));
    });
    // Instrumentations patch Server.prototype.emit. With an emit of its own, this server's requests are neither traced nor measured.
    Object.defineProperty(this.#server, 'emit', { value: Reflect.get(EventEmitter.prototype, 'emit') });
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
    this.#server.unref();
    this.#server.on('connection', (socket) => socket.unref());
    this.ready = this.#listen();
  }

  /** The address that Prometheus scrapes; `undefined` while the endpoint does not listen. */
  get url(): string | undefined {
    return this.#url;
  }

  /** Stops listening and ends open scrapes; never rejects. */
  close(): Promise<void> {
    this.#url = undefined;
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    if (url?.split('?')[0] !== PATH) {
      response
        .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
        .end(`Metrics are at ${PATH}.\n`);
      return;
    }
    const { format, contentType } = negotiate(headers.accept);
    const isGzip = acceptsGzip(headers['accept-encoding']?.toString());
    const head = {
      'content-type': contentType,
      vary: 'Accept, Accept-Encoding',
      ...(isGzip && { 'content-encoding': 'gzip' }),
    };
    if (method === 'HEAD') {
      response.writeHead(200, head).end();
      return;
    }
    const collected = await this.#collect();
    if (!collected) {
      response
        .writeHead(503, { 'content-type': 'text/plain; charset=utf-8' })
        .end('The metrics cannot be read.\n');
      return;
    }
    const { warn, exemplars } = this.#options;
    const metrics = withoutEmptyKeys(withoutEndedSeries(collected), warn);
    warnOfOverflow(metrics, warn);
    response.writeHead(200, head);
    const text = Readable.from(inTurns(exposition(metrics, { format, exemplars, warn })), {
      objectMode: false,
    });
    try {
      await (isGzip ? pipeline(text, createGzip(), response) : pipeline(text, response));
    } catch (error) {
      this.#breakOff(response, error);
    }
  }

  #breakOff(response: ServerResponse, error: unknown): void {
    // Whoever asked has gone, which harms nobody; a fault of ours has to be seen.
    if (systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') this.#warnOfScrape(error);
    response.destroy();
  }

  /** What can be read; `undefined` where nothing can. */
  async #collect(): Promise<ResourceMetrics | undefined> {
    try {
      const { resourceMetrics, errors } = await this.reader.collect({ timeoutMillis: COLLECT_TIMEOUT_MS });
      for (const error of errors) this.#warnOfScrape(error);
      return resourceMetrics;
    } catch (error) {
      this.#warnOfScrape(error);
      return undefined;
    }
  }

  #warnOfScrape(error: unknown): void {
    const name = errorName(error);
    this.#options.warn(
      'prometheus:scrape',
      `Metrics are missing from the Prometheus endpoint: what reads them fails (${name}). Look at the callbacks of observable instruments.`,
    );
  }

  #listen(): Promise<void> {
    const { host, port, warn } = this.#options;
    return new Promise((resolve) => {
      this.#server.on('error', (error) => {
        const code = systemCode(error);
        warn(
          'prometheus',
          `The Prometheus endpoint cannot listen at ${host}:${port} (${code}); metrics go on through OTLP and files. ` +
            'Set OTEL_EXPORTER_PROMETHEUS_PORT to another port, or to 0 for any free one.',
        );
        resolve();
      });
      this.#server.listen({ host, port }, () => {
        const address = this.#server.address();
        if (typeof address === 'object' && address !== null) {
          const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
          this.#url = `http://${shown}:${address.port}${PATH}`;
        }
        resolve();
      });
    });
  }
}

/** Gives everything else its turn after each slice. */
async function* inTurns(slices: Iterable<string>): AsyncGenerator<string> {
  for (const slice of slices) {
    if (slice !== '') yield slice;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
