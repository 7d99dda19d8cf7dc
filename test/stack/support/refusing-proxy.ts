import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** An answer that the proxy gives in the receiver's place. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Stands before a real OTLP/HTTP receiver, and refuses those spans that a test tells it to; everything else goes through. */
export class RefusingProxy {
  /** A request with more spans than this is answered with 413. */
  spansAtMost: number = Number.POSITIVE_INFINITY;
  /** Statuses of all refusals, in their order. */
  readonly refusals: number[] = [];
  /** Requests with spans that came, whatever became of them. */
  requests = 0;
  readonly #target: string;
  readonly #server: Server;
  readonly #next: Refusal[] = [];

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  /** @param target base URL of the receiver */
  static async start(target: string): Promise<RefusingProxy> {
    const proxy = new RefusingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Answers the next request so, instead of handing it on. */
  refuseNext(refusal: Refusal): void {
    this.#next.push(refusal);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #refusalOf(body: Buffer): Refusal | undefined {
    this.requests += 1;
    const spans = body.toString('utf8').split('"startTimeUnixNano":').length - 1;
    return this.#next.shift() ?? (spans > this.spansAtMost ? { status: 413 } : undefined);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = Buffer.concat(await request.toArray());
      const refusal = request.url === '/v1/traces' ? this.#refusalOf(body) : undefined;
      if (refusal) {
        this.refusals.push(refusal.status);
        response.writeHead(refusal.status, refusal.headers).end(refusal.body ?? '');
        return;
      }
      const answer = await fetch(`${this.#target}${request.url ?? ''}`, {
        method: 'POST',
        headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
        body,
      });
      const type = answer.headers.get('content-type') ?? 'application/json';
      response
        .writeHead(answer.status, { 'content-type': type })
        .end(Buffer.from(await answer.arrayBuffer()));
    } catch {
      request.socket.destroy();
    }
  }
}
