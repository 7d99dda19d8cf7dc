import { systemFiles } from '../../../src/storage/index.ts';
import type { FilePort } from '../../../src/storage/index.ts';

/** A system error with its code, as Node throws it. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** The machine's file system, with faults that a test switches on and off. */
export class FaultyFiles implements FilePort {
  /** Code that opening throws. */
  failOpen: string | undefined;
  /** Code that appending throws. */
  failAppend: string | undefined;
  /** Code that reading throws. */
  failRead: string | undefined;
  /** Bytes that one append takes before it throws or returns short. */
  appendAtMost: number = Number.POSITIVE_INFINITY;
  /** Code that cutting a file throws. */
  failTruncate: string | undefined;
  /** Time of the last change by file name, in place of the real one. */
  readonly changedAt: Map<string, number> = new Map();
  /** Folders below which nothing is permitted. */
  readonly forbidden: Set<string> = new Set();
  /** Called with each question about a file, such as for a disk that takes its time. */
  onFacts: (() => void) | undefined;
  opened: number = 0;
  replaced: number = 0;

  facts(path: string): ReturnType<FilePort['facts']> {
    this.onFacts?.();
    this.#permit(path);
    const facts = systemFiles.facts(path);
    const changedAt = this.changedAt.get(path.slice(path.lastIndexOf('/') + 1));
    return facts && changedAt !== undefined ? { ...facts, changedAt } : facts;
  }

  makeFolder(path: string, mode: number): boolean {
    this.#permit(path);
    return systemFiles.makeFolder(path, mode);
  }

  setMode(path: string, mode: number): void {
    systemFiles.setMode(path, mode);
  }

  writeNew(path: string, content: string | Uint8Array, mode: number): boolean {
    if (this.failOpen !== undefined) throw systemError(this.failOpen);
    return systemFiles.writeNew(path, content, mode);
  }

  replace(path: string, text: string, mode: number): void {
    this.replaced += 1;
    if (this.failAppend !== undefined) throw systemError(this.failAppend);
    systemFiles.replace(path, text, mode);
  }

  readText(path: string): string {
    return systemFiles.readText(path);
  }

  rename(from: string, to: string): void {
    systemFiles.rename(from, to);
  }

  touch(path: string, epochMs: number): void {
    systemFiles.touch(path, epochMs);
  }

  openRead(path: string): number {
    if (this.failRead !== undefined) throw systemError(this.failRead);
    return systemFiles.openRead(path);
  }

  read(descriptor: number, buffer: Uint8Array, offset: number): number {
    return systemFiles.read(descriptor, buffer, offset);
  }

  async compress(from: string, to: string, mode: number): Promise<void> {
    if (this.failAppend !== undefined) throw systemError(this.failAppend);
    await systemFiles.compress(from, to, mode);
  }

  list(folder: string): readonly string[] {
    this.#permit(`${folder}/`);
    return systemFiles.list(folder);
  }

  openAppend(path: string, mode: number): number {
    this.opened += 1;
    if (this.failOpen !== undefined) throw systemError(this.failOpen);
    return systemFiles.openAppend(path, mode);
  }

  size(descriptor: number): number {
    return systemFiles.size(descriptor);
  }

  append(descriptor: number, chunks: readonly Uint8Array[]): number {
    const all = Buffer.concat(chunks);
    const part = all.subarray(0, Math.min(all.byteLength, this.appendAtMost));
    if (this.failAppend !== undefined && part.byteLength === 0) throw systemError(this.failAppend);
    const written = systemFiles.append(descriptor, [part]);
    if (this.failAppend !== undefined) this.appendAtMost = 0;
    return written;
  }

  truncate(descriptor: number, size: number): void {
    if (this.failTruncate !== undefined) throw systemError(this.failTruncate);
    systemFiles.truncate(descriptor, size);
  }

  close(descriptor: number): void {
    systemFiles.close(descriptor);
  }

  remove(path: string): void {
    systemFiles.remove(path);
  }

  #permit(path: string): void {
    for (const folder of this.forbidden) if (path.startsWith(`${folder}/`)) throw systemError('EACCES');
  }
}
