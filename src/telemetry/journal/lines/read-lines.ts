import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { systemCode } from '../../../storage/index.ts';
import { LineSplitter, MAX_LINE_BYTES } from './line-splitter.ts';

/** One step of reading a file, in the order of the file. */
export type ReadLine =
  | {
      readonly kind: 'line';
      /** From 1. */
      readonly number: number;
      /** Without its line break. */
      readonly bytes: Uint8Array;
      /** The offset after its line break. */
      readonly to: number;
      /** How many bytes of the file were read so far; of an archive, compressed ones. */
      readonly read: number;
    }
  /** The bytes after the last line break. */
  | { readonly kind: 'tail'; readonly number: number; readonly bytes: Uint8Array }
  /** The file cannot be read further. */
  | { readonly kind: 'broken'; readonly number: number; readonly problem: string };

const CHUNK_BYTES = 262_144;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/**
 * Reads a file line by line, with one line in memory at a time. It recognises a compressed file by its first bytes.
 * It never throws: an error is its last step.
 * @param offset where to begin, in bytes; only for files that are not compressed
 */
export async function* readLines(path: string, offset = 0): AsyncGenerator<ReadLine> {
  let number = 0;
  try {
    // Opened once: a file that is renamed or removed meanwhile is still read to its end.
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
      // The stream closes the handle too, and the handle does not wait for the stream.
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
