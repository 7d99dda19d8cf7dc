import { createServer } from 'node:http';

/** What the receiver has of one service, by span id. */
export interface Received {
  /** Different spans. */
  readonly spans: number;
  /** Spans that came more than once, counted each time but the first. */
  readonly again: number;
}

/** What the receiver is told. */
export type ReceiverOrder = 'listen' | 'refuse' | 'count';

/** What the receiver answers: its port once it listens, `refused` once nobody can connect, or its counts by `service.name`. */
export type ReceiverAnswer =
  | { readonly port: number }
  | { readonly refused: true }
  | { readonly counts: Readonly<Record<string, Received>> };

/** The part of an OTLP JSON request that is looked at. */
interface Request {
  readonly resourceSpans?: readonly {
    readonly resource?: {
      readonly attributes?: readonly {
        readonly key: string;
        readonly value: { readonly stringValue?: string };
      }[];
    };
    readonly scopeSpans?: readonly { readonly spans?: readonly { readonly spanId: string }[] }[];
  }[];
}

class Counter {
  readonly #ids = new Set<string>();
  #again = 0;

  add(spanId: string): void {
    if (this.#ids.has(spanId)) this.#again += 1;
    else this.#ids.add(spanId);
  }

  get received(): Received {
    return { spans: this.#ids.size, again: this.#again };
  }
}

/** An OTLP receiver in a process of its own, which its parent switches on and off. */
function serve(): void {
  const counters = new Map<string, Counter>();
  const count = (request: Request): void => {
    for (const { resource, scopeSpans = [] } of request.resourceSpans ?? []) {
      const name = resource?.attributes?.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      const counter = counters.get(name) ?? new Counter();
      counters.set(name, counter);
      for (const { spans = [] } of scopeSpans) for (const { spanId } of spans) counter.add(spanId);
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      count(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  let port = 0;
  const tell = (answer: ReceiverAnswer): void => void process.send?.(answer);
  process.on('message', (order: ReceiverOrder) => {
    if (order === 'listen') {
      server.listen({ host: '127.0.0.1', port }, () => {
        const address = server.address();
        port = typeof address === 'object' && address !== null ? address.port : port;
        tell({ port });
      });
    } else if (order === 'refuse') {
      server.close(() => tell({ refused: true }));
      server.closeAllConnections();
    } else {
      tell({ counts: Object.fromEntries([...counters].map(([name, each]) => [name, each.received])) });
    }
  });
}

if (import.meta.main) serve();
