import { fileURLToPath } from 'node:url';

/** A function of Keelson that the user has called. */
export type Entry = (...args: never[]) => unknown;

/** A place in the user's program. */
export interface CallSite {
  /** The file as the engine names it: a path, a URL, or a name that a bundler made up. */
  readonly script: string;
  /** 1 for the first line. */
  readonly line: number;
  /** 1 for the first column. */
  readonly column: number;
}

const ENTRY = Symbol.for('keelson.entry.v1');

/**
 * Runs `body`, in which {@link callSite} gives the place from which `entry` was called. The outermost entry counts, that of another copy of the
 * package included.
 */
export function entering<T>(entry: Entry, body: () => T): T {
  const holder = globalThis as { [ENTRY]?: Entry | undefined };
  if (holder[ENTRY]) return body();
  holder[ENTRY] = entry;
  try {
    return body();
  } finally {
    holder[ENTRY] = undefined;
  }
}

/**
 * The place from which the user has called Keelson. It is that of the engine, one frame deep: nothing is formatted, and neither a limit of the
 * depth of traces nor a function that formats them, which the application may have set, has a say.
 * @returns `undefined` outside of {@link entering}, and where the engine does not tell
 */
export function callSite(): CallSite | undefined {
  const entry = (globalThis as { [ENTRY]?: Entry | undefined })[ENTRY];
  if (!entry) return undefined;
  const before = ['stackTraceLimit', 'prepareStackTrace'].map(
    (key) => [key, Object.getOwnPropertyDescriptor(Error, key)] as const,
  );
  try {
    define('stackTraceLimit', 1);
    define('prepareStackTrace', (_error: unknown, frames: unknown) => frames);
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, entry);
    const frame: unknown = Array.isArray(holder.stack) ? holder.stack[0] : undefined;
    return frame === undefined ? undefined : placeOf(frame as NodeJS.CallSite);
  } catch {
    return undefined;
  } finally {
    for (const [key, descriptor] of before) {
      if (descriptor) Reflect.defineProperty(Error, key, descriptor);
      else Reflect.deleteProperty(Error, key);
    }
  }
}

/** The place in words: `/app/payments.ts:3`, through the source map where Node uses those. */
export function placeName(site: CallSite | undefined): string {
  if (!site) return 'a place that is not known';
  const { script, line } = originOf(site) ?? site;
  return `${pathOf(script)}:${line}`;
}

function define(key: string, value: unknown): void {
  Reflect.defineProperty(Error, key, { value, configurable: true, writable: true, enumerable: true });
}

/** Code that a bundler evaluates from a string has its name in a comment (`sourceURL`). */
function placeOf(frame: NodeJS.CallSite): CallSite | undefined {
  const script = frame.getScriptNameOrSourceURL() ?? frame.getFileName();
  const line = frame.getLineNumber();
  return script && line !== null ? { script, line, column: frame.getColumnNumber() ?? 1 } : undefined;
}

/** Maps of bundles can lead into the package itself, where the code of the user has no mapping of its own. */
const OWN_FILE = /[\\/]node_modules[\\/]keelson[\\/]/;

function originOf({ script, line, column }: CallSite): Pick<CallSite, 'script' | 'line'> | undefined {
  if (!process.sourceMapsEnabled) return undefined;
  try {
    const map = process.getBuiltinModule('node:module').findSourceMap(script);
    const origin = map?.findOrigin(line, column);
    if (!origin || !('fileName' in origin) || OWN_FILE.test(origin.fileName)) return undefined;
    return { script: origin.fileName, line: origin.lineNumber };
  } catch {
    return undefined;
  }
}

function pathOf(script: string): string {
  try {
    return script.startsWith('file:') ? fileURLToPath(script) : script;
  } catch {
    return script;
  }
}
