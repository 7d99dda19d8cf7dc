import { join } from 'node:path';

import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { FilePort } from '../../storage/index.ts';
import { lockName } from './format/layout.ts';
import type { OwnerLock } from './owner-lock.ts';
import type { ProcessPort } from './process-identity.ts';

/** What an {@link Owner} is made of. */
export interface OwnerParts {
  /** Gives the folder of locks, and makes it where it is missing; may throw. */
  readonly folder: () => string;
  readonly files: FilePort;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: ProcessPort;
}

const PRIVATE_FILE = 0o600;
const SUFFIX_RANGE = 0x1_0000_0000;
const SUFFIX_DIGITS = 8;
const MAX_TRIES = 100;

/** This process start, as the other processes on the home see it: a lock that tells who holds which files, and that it lives. */
export class Owner {
  readonly #parts: OwnerParts;
  #id: string | undefined;

  constructor(parts: OwnerParts) {
    this.#parts = parts;
  }

  /** The name in files; `undefined` before the lock is made. */
  get id(): string | undefined {
    return this.#id;
  }

  /**
   * Makes the lock on first use.
   * @returns the name in files
   * @throws what the file system throws, and `ERR_KEELSON_HOME`
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

  /** Says that this process lives; makes the lock again where somebody removed it. A disk that refuses is asked again next time. */
  beat(): void {
    const id = this.#id;
    if (id === undefined) return;
    const { files, clock, folder } = this.#parts;
    try {
      const path = join(folder(), lockName(id));
      if (files.facts(path)) files.touch(path, clock.epoch());
      else this.#write(id);
    } catch {
      // Where the process can be asked for, it lives without a heartbeat too.
    }
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
