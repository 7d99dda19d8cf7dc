import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { errorReason } from '../../core/error-line.ts';
import type { Warn } from '../warnings/warner.ts';
import { hookModules } from './module-hooks.ts';

/** An instrumentation package that the application has installed. */
export interface InstalledInstrumentation {
  /** The name that variables use: `pg` for `@opentelemetry/instrumentation-pg`. */
  readonly name: string;
  readonly package: string;
  /** The `node_modules` folder that holds it. */
  readonly folder: string;
}

/** Which instrumentations the variables leave on; see `OTEL_NODE_ENABLED_INSTRUMENTATIONS`. */
export interface InstrumentationChoice {
  /** Names; `undefined`: all but those that are off by default. */
  readonly enabled: readonly string[] | undefined;
  readonly disabled: readonly string[];
}

const PREFIX = 'instrumentation-';

/** Published under other names; of two for the same library these win. */
const OTHER_PACKAGES: readonly {
  readonly name: string;
  readonly package: string;
  readonly config: object;
}[] = [
  { name: 'fastify', package: '@fastify/otel', config: { registerOnInitialization: true } },
  { name: 'prisma', package: '@prisma/instrumentation', config: {} },
];

/** Keelson has its own. */
const OWN: ReadonlySet<string> = new Set(['http', 'undici']);

/**
 * Loaded only where `OTEL_NODE_ENABLED_INSTRUMENTATIONS` names them: `fs` makes a span for each file, Keelson's own gauges tell what
 * `host-metrics` and `runtime-node` do, and the rest is for browsers.
 */
const OFF_BY_DEFAULT: ReadonlySet<string> = new Set([
  'fs',
  'host-metrics',
  'runtime-node',
  'document-load',
  'fetch',
  'long-task',
  'user-interaction',
  'web-exception',
  'xml-http-request',
]);

/** Whether the variables leave an instrumentation on. */
export function isChosen(name: string, { enabled, disabled }: InstrumentationChoice): boolean {
  return (enabled ? enabled.includes(name) : !OFF_BY_DEFAULT.has(name)) && !disabled.includes(name);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/**
 * Finds the instrumentation packages that an application can load, each name once, the nearest folder first.
 * @param starts folders from which the application resolves packages: that of its main file, the working directory
 */
export function findInstrumentations(starts: readonly string[]): readonly InstalledInstrumentation[] {
  const found = new Map<string, InstalledInstrumentation>();
  const add = (name: string, packageName: string, folder: string): void => {
    if (!OWN.has(name) && !found.has(name)) found.set(name, { name, package: packageName, folder });
  };
  const folders = starts.flatMap((start) => createRequire(join(start, 'app.js')).resolve.paths('x') ?? []);
  for (const folder of new Set(folders)) {
    for (const { name, package: packageName } of OTHER_PACKAGES) {
      if (namesIn(join(folder, packageName)).includes('package.json')) add(name, packageName, folder);
    }
    for (const entry of namesIn(join(folder, '@opentelemetry'))) {
      if (entry.startsWith(PREFIX)) add(entry.slice(PREFIX.length), `@opentelemetry/${entry}`, folder);
    }
  }
  return [...found.values()];
}

/** Major and minor of the package that a resolved file belongs to. */
function versionOf(file: string, packageName: string): readonly [number, number] | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (typeof manifest !== 'object' || manifest === null || Reflect.get(manifest, 'name') !== packageName)
        continue;
      const [major, minor] = String(Reflect.get(manifest, 'version')).split('.').map(Number);
      return major === undefined || minor === undefined ? undefined : [major, minor];
    } catch {
      // No manifest in this folder.
    }
  }
  return undefined;
}

const API = '@opentelemetry/api';
const ownApi = versionOf(createRequire(import.meta.url).resolve(API), API);

/** The API that a package speaks finds the one that is registered only where that is as new: then the package would do nothing, silently. */
function misfit(resolve: NodeJS.RequireResolve): string | undefined {
  const theirs = versionOf(resolve(API), API);
  if (!theirs || !ownApi || (theirs[0] === ownApi[0] && theirs[1] <= ownApi[1])) return undefined;
  return `it speaks ${API} ${theirs.join('.')}, and Keelson ${ownApi.join('.')}: update keelson, or take an older version of it`;
}

function isInstrumentation(value: unknown): value is new (config: object) => Instrumentation {
  if (typeof value !== 'function') return false;
  const prototype: unknown = value.prototype;
  return ['enable', 'setTracerProvider', 'getConfig'].every(
    (method) =>
      typeof prototype === 'object' &&
      prototype !== null &&
      typeof Reflect.get(prototype, method) === 'function',
  );
}

function modulesOf(instrumentation: Instrumentation, fallback: string): readonly string[] {
  const definitions: unknown = Reflect.get(instrumentation, 'getModuleDefinitions');
  if (typeof definitions !== 'function') return [fallback];
  const list: unknown = Reflect.apply(definitions, instrumentation, []);
  return Array.isArray(list) ? list.map(({ name }: { name: unknown }) => String(name)) : [fallback];
}

/** What `import-in-the-middle` a package uses, where it is not the one that Keelson has its hooks from. */
function otherHooks(main: string): NodeJS.Require | undefined {
  const base = createRequire(createRequire(main).resolve('@opentelemetry/instrumentation'));
  const theirs = base.resolve('import-in-the-middle');
  return theirs === createRequire(import.meta.url).resolve('import-in-the-middle') ? undefined : base;
}

/** Instrumentations that are loaded, and what each of the further copies of `import-in-the-middle` has to hook. */
interface Loading {
  readonly instrumentations: Instrumentation[];
  readonly copies: Map<string, { readonly load: NodeJS.Require; readonly modules: string[] }>;
}

function load(
  { name, package: packageName, folder }: InstalledInstrumentation,
  loading: Loading,
): string | undefined {
  const fromApp = createRequire(join(dirname(folder), 'app.js'));
  const main = fromApp.resolve(packageName);
  const problem = misfit(createRequire(main).resolve);
  if (problem !== undefined) return problem;
  const exported: unknown = fromApp(packageName);
  const values = typeof exported === 'object' && exported !== null ? Object.values(exported) : [];
  const Made = values.find(isInstrumentation);
  if (!Made) return 'it exports no instrumentation';
  const config = OTHER_PACKAGES.find((other) => other.package === packageName)?.config ?? {};
  // Enabled later, with its providers: what is enabled in its constructor patches modules that are loaded already before it is whole.
  const instrumentation = new Made({ ...config, enabled: false });
  const modules = modulesOf(instrumentation, name);
  const copy = otherHooks(main);
  if (copy) {
    const file = copy.resolve('import-in-the-middle');
    const known = loading.copies.get(file);
    if (known) known.modules.push(...modules);
    else loading.copies.set(file, { load: copy, modules: [...modules] });
  } else hookModules(modules);
  loading.instrumentations.push(instrumentation);
  return undefined;
}

/**
 * Loads what the application has installed and the variables leave on. What cannot be loaded is said and left out; nothing throws.
 * @param installed see {@link findInstrumentations}
 * @returns instrumentations that are not enabled yet
 */
export function loadInstrumentations(
  installed: readonly InstalledInstrumentation[],
  choice: InstrumentationChoice,
  warn: Warn,
): readonly Instrumentation[] {
  const loading: Loading = { instrumentations: [], copies: new Map() };
  for (const name of choice.enabled ?? []) {
    if (OWN.has(name) || installed.some((each) => each.name === name)) continue;
    warn(
      `instrumentation:${name}`,
      `OTEL_NODE_ENABLED_INSTRUMENTATIONS names ${name}, which is not installed: npm install @opentelemetry/${PREFIX}${name}`,
    );
  }
  for (const each of installed.filter(({ name }) => isChosen(name, choice))) {
    let problem: string | undefined;
    try {
      problem = load(each, loading);
    } catch (error) {
      problem = errorReason(error);
    }
    if (problem === undefined) continue;
    warn(
      `instrumentation:${each.name}`,
      `${each.package} is installed and stays off: ${problem}. OTEL_NODE_DISABLED_INSTRUMENTATIONS=${each.name} silences this.`,
    );
  }
  for (const { load: from, modules } of loading.copies.values()) {
    try {
      from('import-in-the-middle/register-hooks.mjs').register({ include: modules });
    } catch (error) {
      warn(
        'instrumentation:hooks',
        `ES modules cannot be instrumented for ${modules.join(', ')} (${errorReason(error)}); CommonJS is. Update the @opentelemetry/instrumentation packages.`,
      );
    }
  }
  return loading.instrumentations;
}
