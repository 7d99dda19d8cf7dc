import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { KeelsonError } from '../../core/errors.ts';
import { nearestName } from '../../core/options.ts';
import { systemCode } from '../../storage/index.ts';
import type { Home } from '../../storage/index.ts';
import { ENVIRONMENT, readEnvironment } from '../../telemetry/environment/index.ts';
import { formatBytes } from '../frame/quantities.ts';
import { fail, pass, warn } from './check.ts';
import type { CheckResult } from './check.ts';
import { satisfies } from './node-range.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The journal's cap on disk, and half of it again. */
const ENOUGH_BYTES = 768 * 1_048_576;
const TOO_LITTLE_BYTES = 16 * 1_048_576;
const ENOUGH_INODES = 1_000;

/** @param range what `engines.node` of the package asks for */
export function checkNode(version: string, range: string): CheckResult {
  if (satisfies(version, range)) return pass('node', `Node ${version}.`);
  return fail(
    'node',
    `Expected Node ${range}, got ${version}.`,
    'Install a Node of that range; 24 is the current long-term release.',
  );
}

/** Permissions and space of the home; makes and removes one small file in it, or an empty folder beside where it would be, and makes no home. */
export function checkHome(home: Home): readonly CheckResult[] {
  const { path } = home;
  if (!existsSync(path)) {
    const above = existingAbove(path);
    try {
      if (!statSync(above).isDirectory()) return [fail('home', `${above} is not a folder.`, HOME_REMEDY)];
      // Asked for in earnest: `access` says yes of file systems such as /proc.
      rmdirSync(mkdtempSync(join(above, '.keelson-doctor-')));
      return [pass('home', `${path} does not exist yet, and can be made.`), checkSpace(above)];
    } catch (error) {
      return [
        fail(
          'home',
          `${path} does not exist and cannot be made: ${systemCode(error)} at ${above}.`,
          HOME_REMEDY,
        ),
      ];
    }
  }
  try {
    const probe = join(home.folder(), '.doctor');
    const descriptor = openSync(probe, 'wx', 0o600);
    try {
      writeSync(descriptor, 'keelson doctor\n');
    } finally {
      closeSync(descriptor);
      unlinkSync(probe);
    }
    return [pass('home', `${path} belongs to this user and can be written.`), checkSpace(path)];
  } catch (error) {
    if (error instanceof KeelsonError) return [fail('home', error.message, error.hint ?? HOME_REMEDY)];
    return [fail('home', `${path} cannot be written: ${systemCode(error)}.`, HOME_REMEDY), checkSpace(path)];
  }
}

const HOME_REMEDY =
  'Make it writable for this user, or set KEELSON_HOME to a folder that is. Until then telemetry is in memory only.';

function existingAbove(path: string): string {
  const above = dirname(path);
  return above === path || existsSync(above) ? above : existingAbove(above);
}

function checkSpace(path: string): CheckResult {
  const { bavail, bsize, files, ffree } = statfsSync(path);
  const free = bavail * bsize;
  const shown = `${formatBytes(free)} free where ${path} lies`;
  const remedy =
    'Make room, or set KEELSON_HOME to a larger file system: the journal takes up to 512 MiB in an outage.';
  if (free < TOO_LITTLE_BYTES) return fail('space', `Only ${shown}.`, remedy);
  // Some file systems have no inodes to count.
  if (files > 0 && ffree < ENOUGH_INODES)
    return fail('space', `Only ${ffree} inodes free where ${path} lies.`, remedy);
  return free < ENOUGH_BYTES ? warn('space', `Only ${shown}.`, remedy) : pass('space', `${shown}.`);
}

/** What the variables say, as the SDK will read them: one warning for each that has no effect. */
export function checkEnvironment(env: Variables): readonly CheckResult[] {
  const found: CheckResult[] = [];
  const said = new Set<string>();
  const settings = readEnvironment(env, (_kind, message) => {
    // A variable that goes for all signals is read once for each.
    if (said.has(message)) return;
    said.add(message);
    found.push(
      warn(
        'environment',
        message,
        'Mend or unset it: src/telemetry/environment.md says what each variable does.',
      ),
    );
  });
  const known = ENVIRONMENT.map(({ name }) => name);
  for (const name of Object.keys(env)) {
    if (!/^(?:OTEL|KEELSON)_/.test(name) || known.includes(name) || (env[name] ?? '').trim() === '') continue;
    const near = nearestName(name, known);
    found.push(
      warn(
        'environment',
        `${name} is no variable that Keelson knows.`,
        near === undefined ? 'Unset it, if it is meant for Keelson.' : `Did you mean ${near}?`,
      ),
    );
  }
  if (settings.disabled) {
    found.push(
      warn(
        'environment',
        'OTEL_SDK_DISABLED=true: no telemetry is made at all.',
        'Unset it to have telemetry.',
      ),
    );
  }
  return found.length > 0
    ? found
    : [pass('environment', 'Every OTEL_ and KEELSON_ variable that is set can be used.')];
}
