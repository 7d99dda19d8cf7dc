import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';

/** Stands in for a store of logs that takes OTLP over HTTP, such as Loki. */
export class LogStore {
  /** Whether it answers that it cannot take anything now. */
  away = false;
  /** Paths of all requests, taken or not, in their order. */
  readonly paths: string[] = [];
  readonly #bodies: Buffer[] = [];
  readonly #server: Server = createServer((request, response) => void this.#take(request, response));

  /** @returns the address as Loki has it */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/otlp`;
  }

  /** Everything that was taken. Texts stand in OTLP's protobuf as they are. */
  get text(): string {
    return Buffer.concat(this.#bodies).toString('latin1');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = Buffer.concat(await request.toArray());
      this.paths.push(request.url ?? '');
      if (!this.away) {
        this.#bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
      }
      response.writeHead(this.away ? 503 : 200, { 'content-type': 'application/x-protobuf' }).end();
    } catch {
      // The Collector ended while it sent.
      request.socket.destroy();
    }
  }
}
