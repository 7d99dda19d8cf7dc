import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * A server in a thread of its own. It answers as soon as the main thread is blocked, so that the answer is in the kernel long before the
 * main thread can read it: what happens then does not depend on how fast the machine is.
 */
const SERVER = `
const { createServer } = require('node:http');
const { parentPort, workerData } = require('node:worker_threads');
const counts = new Int32Array(workerData);
const server = createServer((request, response) => {
  const call = Number(request.url.slice(1));
  Atomics.store(counts, 0, call);
  response.once('close', () => Atomics.store(counts, 2, call));
  const answer = () => {
    if (Atomics.load(counts, 1) < call) setTimeout(answer, 1);
    else response.end('ok');
  };
  answer();
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

/** Where the number of the call stands that came last, that may be answered, and that was answered. */
const ASKED = 0;
const RELEASED = 1;
const ANSWERED = 2;
/** Beyond this something is broken. */
const MOST_MS = 2_000;

/** The server, and the way to block the event loop while it answers. */
export interface BlockedLoopServer extends AsyncDisposable {
  /** The address for one call. @param call 1 for the first, then one more for each; 0 is answered at once */
  url(call: number): string;
  /** Blocks the event loop once the call has come to the server, until it is answered and at least `ms` milliseconds have passed. */
  blockWhileItAnswers(call: number, ms: number): Promise<void>;
}

export async function startBlockedLoopServer(): Promise<BlockedLoopServer> {
  const shared = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
  const counts = new Int32Array(shared);
  const worker = new Worker(SERVER, { eval: true, workerData: shared });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    url: (call) => `http://127.0.0.1:${port}/${call}`,
    async blockWhileItAnswers(call, ms) {
      const startedAt = performance.now();
      const overdue = (): boolean => performance.now() - startedAt > MOST_MS;
      while (Atomics.load(counts, ASKED) < call && !overdue()) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      const until = performance.now() + ms;
      Atomics.store(counts, RELEASED, call);
      while (performance.now() < until || Atomics.load(counts, ANSWERED) < call) if (overdue()) break;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
