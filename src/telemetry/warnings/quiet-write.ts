import type { Writable } from 'node:stream';

const ignore = (): void => {};

/**
 * Writes to a stream that may be gone (a closed pipe), without the `error` event that would end the process. Node's own console does the same.
 * @param stream standard output or standard error
 */
export function writeQuietly(stream: Writable, text: string): void {
  if (stream.destroyed || !stream.writable) return;
  try {
    stream.once('error', ignore);
    stream.write(text, (error) => {
      // The event of this very error comes after the callback.
      if (error && stream.listenerCount('error') === 0) stream.once('error', ignore);
    });
  } catch {
    // Nowhere left to say it.
  } finally {
    stream.removeListener('error', ignore);
  }
}
