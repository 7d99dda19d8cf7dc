import type { FilePort } from '../../../storage/index.ts';
import type { Range } from '../format/ranges.ts';
import { MAX_LINE_BYTES } from './line-splitter.ts';

/** A line read from a file. */
export interface ReadLine {
  /** Without its line break. */
  readonly bytes: Uint8Array;
  readonly range: Range;
  /** Whether a line break ends it. If not, it was never written to its end. */
  readonly whole: boolean;
}

const CHUNK_BYTES = 256 * 1_024;
const NEWLINE = 0x0a;

/** Reads single lines of a file from any offset. Lines that follow one another share a descriptor and a buffer. */
export class LineReader {
  readonly #files: FilePort;
  #open: { readonly path: string; readonly descriptor: number } | undefined;
  #buffer: Uint8Array = new Uint8Array(0);
  #from = 0;

  constructor(files: FilePort) {
    this.#files = files;
  }

  /**
   * The line that starts at `from`.
   * @param end the offset at which to stop
   * @returns `undefined` if the file has no bytes there
   * @throws what the file system throws
   */
  lineAt(path: string, [from, end]: Range): ReadLine | undefined {
    let window = this.#window(path, from);
    for (let wanted = Math.max(CHUNK_BYTES, 2 * window.byteLength); ; wanted *= 2) {
      const line = window.subarray(0, Math.max(0, end - from));
      const at = line.indexOf(NEWLINE);
      if (at !== -1) return { bytes: line.subarray(0, at), range: [from, from + at + 1], whole: true };
      if (line.byteLength >= Math.min(end - from, MAX_LINE_BYTES)) return tail(line, from);
      const before = window.byteLength;
      window = this.#fill(path, from, Math.min(end - from, wanted));
      if (window.byteLength <= before) return tail(window, from);
    }
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#buffer = new Uint8Array(0);
    if (!open) return;
    try {
      this.#files.close(open.descriptor);
    } catch {
      // The file was only read.
    }
  }

  /** The bytes that the buffer has from an offset on; none for another file. */
  #window(path: string, from: number): Uint8Array {
    const inside = this.#open?.path === path && from >= this.#from;
    return inside ? this.#buffer.subarray(from - this.#from) : new Uint8Array(0);
  }

  #fill(path: string, from: number, size: number): Uint8Array {
    if (this.#open?.path !== path) {
      this.close();
      this.#open = { path, descriptor: this.#files.openRead(path) };
    }
    // A new buffer each time, since earlier lines are views of the old one.
    const buffer = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      const count = this.#files.read(this.#open.descriptor, buffer.subarray(filled), from + filled);
      if (count <= 0) break;
      filled += count;
    }
    this.#buffer = buffer.subarray(0, filled);
    this.#from = from;
    return this.#buffer;
  }
}

function tail(bytes: Uint8Array, from: number): ReadLine | undefined {
  if (bytes.byteLength === 0) return undefined;
  return { bytes, range: [from, from + bytes.byteLength], whole: false };
}
