// Takes orders: reserves the goods, charges the card, books the parcel. Each of the three sits behind a guard.
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { CallContext, Guard } from 'keelson';
import { guard, RejectedError } from 'keelson';

/** How long an open breaker lets nothing through, in milliseconds. */
const OPEN_FOR_MS = Number(process.env['BREAKER_OPEN_MS'] ?? 2_000);

const inventory = guard('inventory', {
  retry: { retries: 1, delay: '30ms' },
  rateLimit: { limit: 200, per: '1s' },
  bulkhead: { concurrent: 6, queue: 4 },
  timeout: { attempt: '400ms', total: '1s' },
});

const payments = guard('payments', {
  preset: 'standard-http',
  cache: { ttl: '1s', staleIfError: '1m' },
  retry: { retries: 2, delay: '40ms', maxDelay: '200ms', jitter: 0.2 },
  breaker: { failures: 5, successes: 2, openFor: OPEN_FOR_MS, openFactor: 1 },
  bulkhead: { concurrent: 50, queue: 50, queueTimeout: '500ms' },
  timeout: { attempt: '300ms', total: '1.5s' },
});

/** Each carrier has a breaker of its own: one that fails takes no parcels from the other. */
const shipping = guard('shipping', {
  preset: 'standard-http',
  retry: { retries: 2, delay: '30ms' },
  breaker: { failures: 8, successes: 2, openFor: OPEN_FOR_MS, openFactor: 1 },
  bulkhead: { concurrent: 50, queue: 50, queueTimeout: '500ms' },
  timeout: { attempt: '400ms', total: '1.5s' },
  keys: { max: 10 },
});
const CARRIERS = ['north', 'south'] as const;
let parcels = 0;

interface Order {
  /** Aborted when the shopper leaves. */
  readonly signal: AbortSignal;
  readonly requestId: string | undefined;
}

async function ask(
  service: Guard,
  operation: string,
  url: string,
  order: Order,
  cacheKey?: string,
): Promise<string> {
  const post = async ({ signal }: CallContext): Promise<string> => {
    const response = await fetch(`${url}/${operation}`, { method: 'POST', signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service.name} answered ${response.status}: ${text}`);
    return text;
  };
  return service.run(operation, post, { ...order, cacheKey });
}

async function checkout(order: Order): Promise<'ordered' | 'ordered, ships later'> {
  const paymentsUrl = process.env['PAYMENTS_URL'] ?? '';
  await ask(inventory, 'reserve', process.env['INVENTORY_URL'] ?? '', order);
  // Which cards are taken changes rarely: an old answer is better than none.
  await ask(payments, 'methods', paymentsUrl, order, 'EUR');
  await ask(payments, 'charge', paymentsUrl, order);
  parcels += 1;
  const carrier = CARRIERS[parcels % CARRIERS.length] ?? 'north';
  try {
    await ask(shipping.for(carrier), 'book', process.env['SHIPPING_URL'] ?? '', order);
    return 'ordered';
  } catch (error) {
    if (order.signal.aborted) throw error;
    return 'ordered, ships later';
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  if (error instanceof RejectedError) {
    response.setHeader('retry-after', Math.ceil((error.retryAfterMs ?? 1_000) / 1_000));
    response.writeHead(503).end(error.code);
  } else {
    response.writeHead(502).end(error instanceof Error ? error.message : 'failed');
  }
}

const server = createServer((request, response) => {
  request.resume();
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('The shopper left.')));
  const id = request.headers['x-request-id'];
  checkout({ signal: gone.signal, requestId: typeof id === 'string' ? id : undefined }).then(
    (result) => response.writeHead(200).end(result),
    (error: unknown) => refuse(response, error),
  );
});

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
