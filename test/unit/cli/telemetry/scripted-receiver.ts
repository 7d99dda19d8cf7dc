import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A request that came in. */
export interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body, unzipped. */
  readonly text: string;
}

/** What the receiver says. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export const TAKEN: Answer = { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' };

/** A real HTTP server on loopback that answers each request as a test says; gone after the test. */
export class ScriptedReceiver {
  readonly requests: Arrived[] = [];
  readonly #server: Server;

  private constructor(answer: (request: Arrived, index: number) => Answer) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks);
        const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
        const arrived = { path: request.url ?? '', headers: request.headers, text: bytes.toString('utf8') };
        this.requests.push(arrived);
        const { status, headers, body } = answer(arrived, this.requests.length - 1);
        response.writeHead(status, headers).end(body);
      });
    });
  }

  /** @param answer gives the answer to a request; the index counts from 0 */
  static async start(
    answer: (request: Arrived, index: number) => Answer = () => TAKEN,
  ): Promise<ScriptedReceiver> {
    const receiver = new ScriptedReceiver(answer);
    await new Promise<void>((resolve) => {
      receiver.#server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(
      () =>
        new Promise<void>((resolve) => {
          receiver.#server.close(() => resolve());
          receiver.#server.closeAllConnections();
        }),
    );
    return receiver;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }
}
