import { once } from 'node:events';
import http from 'node:http';
import type { LookupFunction } from 'node:net';
import net from 'node:net';
import * as undici7 from 'undici7';
import * as undici8 from 'undici8';
import { createKeelson } from '../../../src/guard/index.ts';
import type { CallOutcome, GuardedFunction } from '../../../src/index.ts';

/** The undici of npm in both versions that are in use; their types differ in what no test here touches. */
export const UNDICI: readonly (readonly [string, typeof undici7])[] = [
  ['undici 7', undici7],
  ['undici 8', undici8 as unknown as typeof undici7],
];

/** A server that counts what reaches it. */
export interface CountingServer {
  readonly url: string;
  readonly port: number;
  /** Requests, or lines on a raw connection, that have reached the server. */
  count: number;
  close(): Promise<void>;
}

async function listen(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return address.port;
}

/** A server for payments. @param answer what it does with a payment; without it, it answers `ok` */
export async function paymentServer(
  answer: http.RequestListener = (_, response) => response.end('ok'),
): Promise<CountingServer> {
  const server = http.createServer((request, response) => {
    counting.count += 1;
    request.resume();
    answer(request, response);
  });
  const port = await listen(server);
  const counting: CountingServer = {
    url: `http://127.0.0.1:${port}/charge`,
    port,
    count: 0,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return counting;
}

/** A server as that of a database: takes lines on a connection, and answers each. */
export async function lineServer(): Promise<CountingServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', () => {
      counting.count += 1;
      socket.write('INSERT 0 1\n');
    });
  });
  const port = await listen(server);
  const counting: CountingServer = {
    url: '',
    port,
    count: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return counting;
}

/** Connections to it are refused: nobody listens on port 2, and no server of a test is given it. */
export const dead = 'http://127.0.0.1:2/charge';
/** A host that only the name servers below know. */
export const deadHost = 'http://payments.invalid:2/charge';

/** Calls `fn` as a payment, in a guard that would retry it twice. */
export async function pay(fn: GuardedFunction<unknown>): Promise<CallOutcome<unknown>> {
  const payments = createKeelson().guard('payments', { retry: { retries: 2, delay: 0 } });
  return payments.outcome('charge', fn, { idempotent: false });
}

/** How often the server was reached, and how the call ended. */
export function account(
  { outcome, attempts, suppressed }: CallOutcome<unknown>,
  server: CountingServer,
): object {
  return { sent: server.count, outcome, attempts, suppressed };
}

/** The account of a call that reached the server `sent` times, and was not retried. */
export function notRetried(sent: number): object {
  return {
    sent,
    outcome: 'failure',
    attempts: 1,
    suppressed: { policy: 'retry', reason: 'not_idempotent' },
  };
}

/** A POST by `node:http`. @returns the body of the answer; rejects with the error of the request */
export function post(url: string, options: http.RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body)).on('error', reject);
    });
    request.on('error', reject);
    request.end('amount=7');
  });
}

/** The same by `fetch`. */
export async function fetchPost(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: 'amount=7', ...init });
  return response.text();
}

/** A line sent on a connection. @returns the answer */
export async function sendLine(socket: net.Socket): Promise<string> {
  socket.write('INSERT INTO charges\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

/** A name server that knows no host. */
export const noSuchHost: LookupFunction = (hostname, _, callback) => {
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  setImmediate(() =>
    callback(Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }), ''),
  );
};

/** A name server that never answers: the connection is never made. */
export const silent: LookupFunction = () => {};

/** A name server that knows two addresses of each host, on both of which nobody listens. */
export const twoAddresses: LookupFunction = (_, __, callback) => {
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  setImmediate(() => callback(null, addresses));
};
