/**
 * The longest line that is read: four times the largest segment. A batch has a few hundred KiB. What is longer is no batch, and must not fill the
 * memory.
 */
export const MAX_LINE_BYTES: number = 64 * 1_024 * 1_024;

/** A line and its offsets in the file. */
export interface Line {
  /** Without its line break. */
  readonly bytes: Uint8Array;
  readonly from: number;
  /** The offset after its line break. */
  readonly to: number;
}

const NEWLINE = 0x0a;

/**
 * Cuts a stream of bytes at 0x0A only. (`node:readline` also cuts at U+2028, which JSON does not escape.)
 * It holds at most one line, however long the file is.
 */
export class LineSplitter {
  #pieces: Uint8Array[] = [];
  #from: number;
  #at: number;

  /** @param offset the offset of the first byte in the file */
  constructor(offset = 0) {
    this.#from = offset;
    this.#at = offset;
  }

  /** Takes the next bytes. @returns the lines that end in them */
  push(chunk: Uint8Array): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#line(chunk.subarray(start, end), this.#at + end + 1));
      start = end + 1;
    }
    if (start < chunk.byteLength) this.#pieces.push(chunk.subarray(start));
    this.#at += chunk.byteLength;
    return lines;
  }

  /** The bytes after the last line break: a line that was not written to its end. `undefined` if there are none. */
  get tail(): Line | undefined {
    if (this.#pieces.length === 0) return undefined;
    return { bytes: joined(this.#pieces), from: this.#from, to: this.#at };
  }

  #line(last: Uint8Array, to: number): Line {
    const bytes = this.#pieces.length === 0 ? last : joined([...this.#pieces, last]);
    const line = { bytes, from: this.#from, to };
    this.#pieces = [];
    this.#from = to;
    return line;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
}
