import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';
import { AttemptRequests } from './attempt-requests.ts';

/** The part of a channel's message that is read here. */
interface Message {
  readonly request?: unknown;
  readonly socket?: unknown;
  readonly error?: unknown;
}

/** The part of a request or a socket of Node that is used here. */
interface Emitter {
  readonly connecting?: boolean;
  once(event: string, listener: (value?: unknown) => void): void;
}

/** The attempt that runs now; made together with the subscriptions. */
let attempts: AsyncLocalStorage<AttemptRequests> | undefined;
const attemptOf = new WeakMap<object, AttemptRequests>();
const connectErrors = new WeakSet<object>();

/**
 * Runs `fn` as one attempt of a call that is not idempotent, and notes the requests that it makes. The first use subscribes to the channels of
 * undici and of `node:http`, for as long as the process lives: whoever calls nothing with `idempotent: false` pays nothing.
 * @param before the attempt of the same call before this one
 * @param fn is given the requests of the attempt, of which there are none yet
 */
export function watchRequests<R>(
  before: AttemptRequests | undefined,
  fn: (requests: AttemptRequests) => R,
): R {
  attempts ??= startWatching();
  const requests = new AttemptRequests(loopTurn(), before, attempts.getStore());
  return attempts.run(requests, fn, requests);
}

/** The attempt that {@link watchRequests} watched ended with `error`. */
export function attemptEnded(requests: AttemptRequests, error: unknown): void {
  requests.ended(error, loopTurn());
}

/** Subscribes. A runtime without these channels publishes nothing: no attempt has a request there, and none is proven unsent. */
function startWatching(): AsyncLocalStorage<AttemptRequests> {
  const storage = new AsyncLocalStorage<AttemptRequests>();

  const began = ({ request }: Message): AttemptRequests | undefined => {
    const requests = storage.getStore();
    if (!requests || !isObject(request)) return undefined;
    requests.began(loopTurn());
    attemptOf.set(request, requests);
    return requests;
  };
  const written = ({ request }: Message): void => {
    if (isObject(request)) attemptOf.get(request)?.connected();
  };

  // undici, that of the global `fetch` and those of npm. A pool can connect, write and fail in the async context of another call: only
  // `create` asks whose context it is, the others know the request. Over HTTP/2, undici 6 has no `sendHeaders`.
  on('undici:request:create', (message) => void began(message));
  on('undici:client:sendHeaders', written);
  on('undici:request:bodySent', written);
  on('undici:client:connectError', ({ error }) => {
    if (isObject(error)) connectErrors.add(error);
  });
  on('undici:request:error', ({ request, error }) => {
    // A request that waited for a connection gets the very error of the connection; one that is aborted or cut off gets another.
    if (isObject(request) && isObject(error) && connectErrors.has(error))
      attemptOf.get(request)?.failed(error, loopTurn());
  });

  // node:http, and what is built on it. An agent can connect in the async context of another call.
  on('http.client.request.created', (message) => {
    const requests = began(message);
    if (!requests || !isEmitter(message.request)) return;
    message.request.once('socket', (socket) => noteConnection(socket, requests));
  });
  on('http.client.request.error', ({ request, error }) => {
    if (isObject(request)) attemptOf.get(request)?.failed(error, loopTurn());
  });

  // What is neither: HTTP/2, gRPC, every new connection, whoever speaks what protocol on it, and a child process.
  on('http2.client.stream.created', () => storage.getStore()?.connected());
  on('child_process', () => storage.getStore()?.connected());
  on('net.client.socket', ({ socket }) => {
    const requests = storage.getStore();
    if (requests && isEmitter(socket)) socket.once('connect', () => requests.connected());
  });
  return storage;
}

function on(channel: string, listener: (message: Message) => void): void {
  subscribe(channel, (message) => {
    if (isObject(message)) listener(message);
  });
}

/** A socket that is no socket of Node, or is one that was used before, counts as connected. */
function noteConnection(socket: unknown, requests: AttemptRequests): void {
  if (isEmitter(socket) && socket.connecting === true) socket.once('connect', () => requests.connected());
  else requests.connected();
}

/** How often the event loop has gone round. An answer from outside is read in a later turn than that in which it was asked for. */
function loopTurn(): number {
  const { nodeTiming }: { nodeTiming?: { uvMetricsInfo?: { loopCount?: number } } } = performance;
  return nodeTiming?.uvMetricsInfo?.loopCount ?? Number.NaN;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isEmitter(value: unknown): value is Emitter {
  return isObject(value) && 'once' in value && typeof value.once === 'function';
}
