import { join } from 'node:path';
import type { Random } from '../../core/random.ts';
import type { Clock } from '../../core/time/clock.ts';
import { lockName } from './owner-lock.ts';
import type { OwnerLock } from './owner-lock.ts';
import type { ProcessPort } from './process-identity.ts';

/** The part of the file system that an {@link Owner} uses. Every method throws like `node:fs` does. */
export interface LockFiles {
  /** Facts about `path`; `undefined` if there is nothing. */
  facts(path: string): object | undefined;
  /** Writes a new file, and does nothing if one exists. @returns whether it was written */
  writeNew(path: string, content: string, mode: number): boolean;
  /** Sets the time of the last change, in milliseconds since 1970. */
  touch(path: string, epochMs: number): void;
  remove(path: string): void;
}

/** What an {@link Owner} is made of. */
export interface OwnerParts {
  /** Returns the folder of locks, and makes it if it is missing. May throw. */
  readonly folder: () => string;
  readonly files: LockFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: ProcessPort;
}

const PRIVATE_FILE = 0o600;
const SUFFIX_RANGE = 0x1_0000_0000;
const SUFFIX_DIGITS = 8;
const MAX_TRIES = 100;

/**
 * This start of a process, as other processes see it. Its lock file names the process. A heartbeat touches the lock, so that processes in other
 * containers and on other hosts know that this one lives.
 */
export class Owner {
  readonly #parts: OwnerParts;
  #id: string | undefined;

  constructor(parts: OwnerParts) {
    this.#parts = parts;
  }

  /** `<pid>-<random hex>`; `undefined` before {@link take}. */
  get id(): string | undefined {
    return this.#id;
  }

  /**
   * Makes the lock at the first call.
   * @returns the id, `<pid>-<random hex>`
   * @throws what the file system throws, and what `folder` throws
   */
  take(): string {
    if (this.#id !== undefined) return this.#id;
    const { random, processes } = this.#parts;
    const { pid } = processes.self();
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const suffix = Math.floor(random() * SUFFIX_RANGE)
        .toString(16)
        .padStart(SUFFIX_DIGITS, '0');
      const id = `${pid}-${suffix}`;
      if (!this.#write(id)) continue;
      this.#id = id;
      return id;
    }
    throw Object.assign(new Error('Every name for a lock is taken.'), { code: 'EEXIST' });
  }

  /** One heartbeat: touches the lock, and makes it again if somebody removed it. Never throws: the next heartbeat tries again. */
  beat(): void {
    const id = this.#id;
    if (id === undefined) return;
    const { files, clock, folder } = this.#parts;
    try {
      const path = join(folder(), lockName(id));
      if (files.facts(path)) files.touch(path, clock.epoch());
      else this.#write(id);
    } catch {
      // Processes of the same boot and pid namespace look this one up, and need no heartbeat.
    }
  }

  /**
   * Removes the lock, so that the next process takes over at once. The id stays, and a later heartbeat makes the lock again.
   * @throws what the file system throws
   */
  release(): void {
    const { files, folder } = this.#parts;
    if (this.#id !== undefined) files.remove(join(folder(), lockName(this.#id)));
  }

  #write(id: string): boolean {
    const { clock, files, processes, folder } = this.#parts;
    const lock: OwnerLock = {
      version: 1,
      ...processes.self(),
      startedAt: new Date(clock.epoch()).toISOString(),
    };
    return files.writeNew(join(folder(), lockName(id)), `${JSON.stringify(lock)}\n`, PRIVATE_FILE);
  }
}
