import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';

import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';

import { systemCode } from '../storage/index.ts';
import type { Warn } from './warner.ts';

const PATH = '/metrics';
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * The metrics for a Prometheus that scrapes. The SDK's exporter writes them, the server is ours: that one cannot take port 0, cannot be
 * started again after a failure, has no answer for a port that is taken, and its scrapes are traced like calls of the service.
 */
export class PrometheusEndpoint {
  /** Goes to the meter provider. */
  readonly reader: PrometheusExporter;
  /** Settles when the endpoint listens, or is known not to; never rejects. */
  readonly ready: Promise<void>;
  readonly #server: Server;
  #url: string | undefined;

  /**
   * @param host address to listen at
   * @param port 0 for any free one
   * @param warn takes one warning where the endpoint cannot listen
   */
  constructor(host: string, port: number, warn: Warn) {
    const reader = new PrometheusExporter({ preventServerStart: true });
    this.reader = reader;
    this.#server = createServer((request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
      } else if (request.url?.split('?')[0] !== PATH) {
        response.writeHead(404).end();
      } else {
        reader.getMetricsRequestHandler(request, response);
        // The exporter has named the type without its version; its answer is still being collected.
        response.setHeader('content-type', CONTENT_TYPE);
      }
    });
    // Instrumentations patch Server.prototype.emit. With an emit of its own, this server's requests are neither traced nor measured.
    Object.defineProperty(this.#server, 'emit', { value: Reflect.get(EventEmitter.prototype, 'emit') });
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS;
    this.#server.unref();
    this.#server.on('connection', (socket) => socket.unref());
    this.ready = this.#listen(host, port, warn);
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

  #listen(host: string, port: number, warn: Warn): Promise<void> {
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
