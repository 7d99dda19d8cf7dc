import { readFileSync } from 'node:fs';
import { KeelsonError } from '../core/errors.ts';

/** The manifest of the package: beside `src` in a checkout, beside `dist` where it is installed. */
const MANIFEST = new URL('../../package.json', import.meta.url);

/**
 * Loads a package that users install only if they need it (`peerDependenciesMeta` marks it as optional).
 * @param name the package, as `peerDependencies` names it
 * @param load imports it: `() => import('pg')`
 * @param instead what a user can pass in its place, for the error: `postgresStore({ pool })`
 * @param manifest where the range of versions stands. @defaultValue Keelson's own package.json
 * @returns the module
 * @throws {KeelsonError} `ERR_KEELSON_PEER_MISSING` if it cannot be loaded. Its hint names the versions to install.
 */
export async function loadPeer<T>(
  name: string,
  load: () => Promise<T>,
  instead: string,
  manifest: URL = MANIFEST,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const range = rangeOf(name, manifest);
    const wanted = range === undefined ? name : `"${name}@${range}"`;
    throw new KeelsonError('ERR_KEELSON_PEER_MISSING', `The package \`${name}\` cannot be loaded.`, {
      cause,
      hint: `Install it beside keelson: \`npm install ${wanted}\`. Or pass what you have: \`${instead}\`.`,
    });
  }
}

/** @returns `undefined` where the manifest is not Keelson's, such as in a bundle */
function rangeOf(name: string, manifest: URL): string | undefined {
  try {
    const { name: owner, peerDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly name?: string;
      readonly peerDependencies?: Readonly<Record<string, string>>;
    };
    return owner === 'keelson' ? peerDependencies?.[name] : undefined;
  } catch {
    return undefined;
  }
}
