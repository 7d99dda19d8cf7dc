import type { Clock } from './time/clock.ts';

/** A small body is read to its end, so that its connection serves the next request. What is larger or slower is cancelled. */
const MAX_BYTES = 128 * 1024;
/** Milliseconds that a reader waits for the end of a body that nobody wants. */
export const MAX_DISCARD_MS = 1_000;

/**
 * Frees the connection behind a value that nobody will read: reads its body to the end if that is at most 128 KiB and takes at most one second,
 * and cancels the body otherwise. Knows web streams and streams of Node, in a response of `fetch`, undici, node-fetch or axios, as a value itself,
 * or in the `response` of an error. Leaves a stream alone that somebody has begun to read.
 * @returns a promise that never rejects, and resolves when the connection is free; `undefined` if the value holds no stream
 */
export function discard(value: unknown, clock: Clock): Promise<void> | undefined {
  try {
    const stream = streamIn(value) ?? streamIn(property(value, 'response'));
    if (!stream) return undefined;
    return 'getReader' in stream ? readWeb(stream, clock) : readNode(stream, clock);
  } catch {
    // A value whose properties throw, or a stream that another reader locked meanwhile.
    return undefined;
  }
}

interface WebStream {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: { readonly byteLength?: number } }>;
    cancel(): Promise<void>;
  };
}

interface NodeStream {
  readonly readableFlowing: boolean | null;
  readonly readableEnded: boolean;
  readonly destroyed: boolean;
  on(event: string, listener: (chunk: { readonly length?: number }) => void): unknown;
  destroy(): unknown;
}

/** The unread stream that `value` is or has: `body` of a response, `data` of axios. */
function streamIn(value: unknown): WebStream | NodeStream | undefined {
  return [value, property(value, 'body'), property(value, 'data')].find(isUnread);
}

function isUnread(stream: unknown): stream is WebStream | NodeStream {
  if (typeof property(stream, 'getReader') === 'function') return property(stream, 'locked') === false;
  return (
    typeof property(stream, 'on') === 'function' &&
    typeof property(stream, 'destroy') === 'function' &&
    property(stream, 'readableFlowing') === null &&
    property(stream, 'readableEnded') === false &&
    property(stream, 'destroyed') === false
  );
}

function property(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
}

async function readWeb(stream: WebStream, clock: Clock): Promise<void> {
  const reader = stream.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  const timer = clock.setTimer(cancel, MAX_DISCARD_MS);
  try {
    for (let bytes = 0; bytes <= MAX_BYTES;) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value?.byteLength ?? 0;
    }
    cancel();
  } catch {
    // The connection broke: it is free.
  } finally {
    timer.cancel();
  }
}

function readNode(stream: NodeStream, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const timer = clock.setTimer(() => stream.destroy(), MAX_DISCARD_MS);
    const over = (): void => {
      timer.cancel();
      resolve();
    };
    for (const event of ['end', 'close', 'error']) stream.on(event, over);
    stream.on('data', (chunk) => {
      bytes += chunk.length ?? 0;
      if (bytes > MAX_BYTES) stream.destroy();
    });
  });
}
