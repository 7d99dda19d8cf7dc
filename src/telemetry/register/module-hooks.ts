import { isBuiltin } from 'node:module';
import { register, supportsSyncHooks } from 'import-in-the-middle/register-hooks.mjs';

/** Modules of Node's own that go through the hooks, without `node:`. */
const builtins = new Set(['http', 'https']);
/** Packages that do. */
const packages = new Set<string>();
let areWithdrawn = false;

const FOLDER = '/node_modules/';

/** `@scope/name` or `name` at the start of a specifier or path. */
function packageAt(path: string): string {
  const first = path.indexOf('/');
  if (first < 0 || !path.startsWith('@')) return first < 0 ? path : path.slice(0, first);
  const second = path.indexOf('/', first + 1);
  return second < 0 ? path : path.slice(0, second);
}

/**
 * Whether a module goes through the hooks: what is instrumented does, with the files inside its package; every other module loads as if the
 * hooks were not there.
 * @param url of the module, resolved
 * @param specifier as the import names it
 */
export function isHooked(url: string, specifier: string): boolean {
  if (areWithdrawn) return false;
  const bare = specifier.startsWith('node:') ? specifier.slice(5) : specifier;
  if (builtins.has(bare)) return true;
  if (packages.size === 0) return false;
  if (packages.has(packageAt(bare))) return true;
  const folder = url.lastIndexOf(FOLDER);
  return folder >= 0 && packages.has(packageAt(url.slice(folder + FOLDER.length)));
}

/** Lets further modules go through the hooks: modules of Node's own or packages, from their next import on. */
export function hookModules(names: Iterable<string>): void {
  for (const name of names) {
    if (isBuiltin(name)) builtins.add(name);
    else packages.add(name);
  }
}

/** Lets every module that is imported from now on load as if there were no hooks: nothing is instrumented in this process. */
export function withdrawModuleHooks(): void {
  areWithdrawn = true;
}

/**
 * Puts the hooks for ES modules in place, before anything that is instrumented is loaded; CommonJS needs none.
 * @returns whether this version of Node can have them
 */
export function registerModuleHooks(): boolean {
  if (!supportsSyncHooks()) return false;
  // The types of 3.6.0 do not know the predicate that its documentation has.
  const options = { exclude: [], shouldInclude: isHooked };
  register(options);
  return true;
}
