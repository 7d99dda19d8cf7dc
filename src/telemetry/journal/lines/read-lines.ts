import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

import { systemCode } from '../../../storage/index.ts';
import { LineSplitter } from './line-splitter.ts';

/** What comes out of a file, in its order. */
export type ReadLine =
  | {
      readonly kind: 'line';
      /** From 1. */
      readonly number: number;
      /** Without its line break. */
      readonly bytes: Uint8Array;
      /** The offset behind its line break. */
      readonly to: number;
      /** Bytes of the file that were read so far, compressed ones for an archive. */
      readonly read: number;
    }
  /** What follows the last line break. */
  | { readonly kind: 'tail'; readonly number: number; readonly bytes: Uint8Array }
  /** The file cannot be read any further. */
  | { readonly kind: 'broken'; readonly number: number; readonly problem: string };

/** The longest line that is read. A batch has a few hundred KiB; what is longer is no batch, and must not fill the memory. */
export const MAX_LINE_BYTES = 67_108_864;

const CHUNK_BYTES = 262_144;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Reads a file line by line, with one line in memory at a time. Compressed files are told by their first bytes.
 * It never throws: what goes wrong is the last thing that it gives.
 * @param offset where to begin; for files that are not compressed
 */
export async function* readLines(path: string, offset = 0): AsyncGenerator<ReadLine> {
  let number = 0;
  try {
    // Opened once, so that a file that gets another name or goes meanwhile is read as it was found.
    await using handle = await open(path, 'r');
    const gzip = await isGzip(handle);
    const file = handle.createReadStream({ start: offset, highWaterMark: CHUNK_BYTES, autoClose: false });
    const stream = gzip ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file;
    file.on('error', (error) => stream.destroy(error));
    const splitter = new LineSplitter(offset);
    let taken = offset;
    let ended = offset;
    try {
      for await (const chunk of stream as AsyncIterable<Uint8Array>) {
        taken += chunk.byteLength;
        for (const line of splitter.push(chunk)) {
          number += 1;
          ended = line.to;
          yield { kind: 'line', number, bytes: line.bytes, to: line.to, read: file.bytesRead };
        }
        if (taken - ended > MAX_LINE_BYTES) {
          yield { kind: 'broken', number: number + 1, problem: `it is longer than ${MAX_LINE_BYTES} bytes` };
          return;
        }
      }
    } finally {
      const closed = file.closed ? undefined : new Promise<void>((resolve) => file.once('close', resolve));
      file.destroy();
      // The stream closes the handle too, and the handle does not wait for that.
      await closed;
    }
    const { tail } = splitter;
    if (tail) yield { kind: 'tail', number: number + 1, bytes: tail.bytes };
  } catch (error) {
    yield { kind: 'broken', number: number + 1, problem: brokenProblem(error) };
  }
}

function brokenProblem(error: unknown): string {
  const code = systemCode(error);
  return code.startsWith('Z_') ? 'the compressed data is damaged or cut off' : `cannot be read: ${code}`;
}

async function isGzip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.equals(GZIP_MAGIC);
}
