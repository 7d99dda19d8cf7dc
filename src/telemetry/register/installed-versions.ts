import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A package that is not what Keelson needs. */
interface Misfit {
  /** What was found, such as `@opentelemetry/api 1.9.1 beside @opentelemetry/instrumentation-undici 0.34.0`. */
  readonly found: string;
  /** What npm is to install, such as `@opentelemetry/api@1.10.0`. */
  readonly install: string;
}

/** What a warning says about versions when something cannot be loaded. */
export interface VersionReport {
  /** What was found, without a full stop. */
  readonly found: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
}

const API = '@opentelemetry/api';
/** Both in a checkout and in the package, the manifest is three folders up. */
const OWN_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** A warning is a line, not a list. */
const MAX_SHOWN = 3;

function read(manifest: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The package that a file in `start` gets for a name, as Node looks for it. */
function locate(
  name: string,
  start: string,
): { readonly folder: string; readonly version: string } | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    const version = read(join(candidate, 'package.json'))?.['version'];
    if (typeof version === 'string') return { folder: realpathSync(candidate), version };
    if (folder === dirname(folder)) return undefined;
  }
}

function misfitsOf(name: string, needed: string, neededApi: string): readonly Misfit[] {
  const located = locate(name, OWN_FOLDER);
  if (!located) return [{ found: `${name} is missing`, install: `${name}@${needed}` }];
  if (located.version !== needed)
    return [{ found: `${name} ${located.version}`, install: `${name}@${needed}` }];
  if (name === API || !name.startsWith('@opentelemetry/')) return [];
  const api = locate(API, located.folder);
  if (!api || api.version === neededApi) return [];
  return [{ found: `${API} ${api.version} beside ${name} ${needed}`, install: `${API}@${neededApi}` }];
}

function misfits(names: readonly string[] | undefined): readonly Misfit[] {
  const dependencies = read(join(OWN_FOLDER, 'package.json'))?.['dependencies'];
  const needed = Object.entries(
    typeof dependencies === 'object' && dependencies !== null ? dependencies : {},
  ).flatMap(([name, version]: [string, unknown]) => (typeof version === 'string' ? [[name, version]] : []));
  const neededApi = needed.find(([name]) => name === API)?.[1] ?? '';
  return needed
    .filter(([name = '']) => (names ? names.includes(name) : /^@opentelemetry\/|^import-in-the-/.test(name)))
    .flatMap(([name = '', version = '']) => misfitsOf(name, version, neededApi));
}

/**
 * Compares the packages that Keelson gets here with those that it was tested with. npm may place one of them where it gets another version of
 * the API than Keelson.
 * @param names only these dependencies. @defaultValue every one of OpenTelemetry
 * @returns what a warning says about it; never throws
 */
export function reportVersions(names?: readonly string[]): VersionReport {
  let found: readonly Misfit[] = [];
  try {
    found = misfits(names);
  } catch {
    // A folder that cannot be read: the report says what it knows.
  }
  const shown = found.slice(0, MAX_SHOWN);
  if (shown.length === 0) {
    const own = read(join(OWN_FOLDER, 'package.json'))?.['version'];
    const version = typeof own === 'string' ? own : 'of an unknown version';
    return {
      found: `keelson ${version}, Node ${process.version}, and the OpenTelemetry packages that belong to it`,
      remedy: 'Install keelson again; if that does not help, report this.',
    };
  }
  return {
    found: shown.map((misfit) => misfit.found).join(', '),
    remedy: `Run: npm install ${[...new Set(shown.map(({ install }) => install))].join(' ')}`,
  };
}
