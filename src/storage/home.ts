import { dirname, join, resolve } from 'node:path';
import { KeelsonError } from '../core/errors.ts';
import { systemCode, systemFiles } from './file-port.ts';
import type { FilePort } from './file-port.ts';

/** Where Keelson keeps its state if nothing else is said, below the working directory. */
export const DEFAULT_HOME = '.keelson';

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const WRITABLE_BY_OTHERS = 0o022;
const IN_THE_WAY: ReadonlySet<string> = new Set(['ENOTDIR', 'EEXIST']);

/** What a {@link Home} is made of. */
export interface HomeOptions {
  /** A path, absolute or below `cwd`. Empty and absent mean `KEELSON_HOME`, then `./.keelson`. */
  readonly path?: string | undefined;
  /** @defaultValue process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** @defaultValue process.cwd() */
  readonly cwd?: string;
  /** @defaultValue the machine's file system */
  readonly files?: FilePort;
  /** The user that must own the folder. @defaultValue the user of this process; no check where the platform has none */
  readonly user?: number | undefined;
}

/**
 * The folder in which everything of Keelson's lies. Nothing is made before it is needed.
 *
 * A home that is a symbolic link, that another user owns, or into which others can write is refused: whoever can swap the folder could
 * read the telemetry or have it replayed (GHSA-4625-4j76-fww9 is what happens without this check).
 */
export class Home {
  /** Absolute path. */
  readonly path: string;
  readonly #files: FilePort;
  readonly #user: number | undefined;
  readonly #made = new Set<string>();

  constructor(options: HomeOptions = {}) {
    const env = options.env ?? process.env;
    const fromEnv = env['KEELSON_HOME'];
    const named = options.path !== undefined && options.path !== '' ? options.path : fromEnv;
    this.path = resolve(
      options.cwd ?? process.cwd(),
      named !== undefined && named !== '' ? named : DEFAULT_HOME,
    );
    this.#files = options.files ?? systemFiles;
    this.#user = 'user' in options ? options.user : process.getuid?.();
  }

  /**
   * Makes a folder below the home, and the home itself where it is missing.
   * @param segments names of the folders, outermost first; none for the home
   * @returns the absolute path
   * @throws {KeelsonError} `ERR_KEELSON_HOME` where the home is refused or cannot be written; `cause` is the system's error
   */
  folder(...segments: readonly string[]): string {
    const path = join(this.path, ...segments);
    if (this.#made.has(path) && this.#files.facts(path)?.kind === 'folder') return path;
    this.#made.delete(path);
    try {
      this.#prepare();
      if (segments.length > 0) this.#files.makeFolder(path, PRIVATE_FOLDER);
    } catch (error) {
      if (error instanceof KeelsonError) throw error;
      const code = systemCode(error);
      throw new KeelsonError('ERR_KEELSON_HOME', `Cannot use ${path}: ${code}.`, {
        cause: error,
        hint: IN_THE_WAY.has(code)
          ? 'A file lies where a folder has to be: move it away, or set KEELSON_HOME to another folder.'
          : `Make ${dirname(this.path)} writable for this user, or set KEELSON_HOME to a folder that is.`,
      });
    }
    this.#made.add(path);
    return path;
  }

  /**
   * Checks the home, where there is one, before anything in it is believed or removed; makes nothing.
   * @returns whether there is one
   * @throws {KeelsonError} `ERR_KEELSON_HOME` where it is refused, and what the file system throws
   */
  check(): boolean {
    const facts = this.#files.facts(this.path);
    if (facts === undefined) return false;
    this.#check(facts.kind, facts.owner, facts.mode);
    return true;
  }

  #prepare(): void {
    const before = this.#files.facts(this.path);
    if (before) this.#check(before.kind, before.owner, before.mode);
    const madeNow = before === undefined && this.#files.makeFolder(this.path, PRIVATE_FOLDER);
    if (madeNow) this.#files.setMode(this.path, PRIVATE_FOLDER);
    // A folder that holds other things is somebody's project: its ignore rules are not ours to write.
    if (madeNow || this.#files.list(this.path).length === 0) {
      this.#files.writeNew(join(this.path, '.gitignore'), '*\n', PRIVATE_FILE);
    }
  }

  #check(kind: string, owner: number, mode: number): void {
    const refuse = (what: string, hint: string): never => {
      throw new KeelsonError('ERR_KEELSON_HOME', `Refused to use ${this.path}: ${what}.`, { hint });
    };
    if (kind === 'link') {
      refuse('it is a symbolic link', 'Set KEELSON_HOME to the folder that it points to.');
    }
    if (kind !== 'folder') refuse('it is not a folder', 'Move it away, or set KEELSON_HOME to a folder.');
    if (this.#user === undefined) return;
    if (owner !== this.#user) {
      refuse(
        `it belongs to user ${owner}, this process runs as ${this.#user}`,
        'Set KEELSON_HOME to a folder of this user.',
      );
    }
    if ((mode & WRITABLE_BY_OTHERS) !== 0) {
      refuse(`others can write to it (mode ${mode.toString(8)})`, `Run: chmod 700 ${this.path}`);
    }
  }
}
