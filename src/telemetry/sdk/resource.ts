import { randomUUID } from 'node:crypto';
import { arch, hostname, platform, release } from 'node:os';
import { basename } from 'node:path';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import type { DetectorName, EnvironmentSettings } from '../environment/index.ts';
import type { TelemetryOptions } from '../options.ts';
import { mainFile } from './main-file.ts';

type Attributes = Record<string, string | number | boolean>;

// Names of `host.arch` and `os.type` in the semantic conventions, where they differ from Node's.
const ARCHITECTURES: Readonly<Record<string, string>> = {
  arm: 'arm32',
  ppc: 'ppc32',
  x64: 'amd64',
  ia32: 'x86',
};
const SYSTEMS: Readonly<Record<string, string>> = { sunos: 'solaris', win32: 'windows' };

/**
 * What is known at once. `process.command_args` is left out on purpose: command lines hold passwords. `host.id` is left out because the SDK
 * reads it late, and on macOS and Windows with a child process.
 */
const DETECTORS: Readonly<Record<Exclude<DetectorName, 'env'>, () => Attributes>> = {
  serviceinstance: () => ({ 'service.instance.id': randomUUID() }),
  host: () => ({ 'host.name': hostname(), 'host.arch': ARCHITECTURES[arch()] ?? arch() }),
  os: () => ({ 'os.type': SYSTEMS[platform()] ?? platform(), 'os.version': release() }),
  process: () => {
    const main = mainFile(process);
    return {
      'process.pid': process.pid,
      'process.executable.name': basename(process.execPath),
      'process.executable.path': process.execPath,
      ...(main !== undefined && { 'process.command': main }),
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      'process.runtime.description': 'Node.js',
    };
  },
};

/** What cannot be read, such as a host name that the system refuses, is left out. */
function detected(name: Exclude<DetectorName, 'env'>): Attributes {
  try {
    return DETECTORS[name]();
  } catch {
    return {};
  }
}

/** The resource of every signal: the SDK's own attributes, what is detected, the variables, the options; the later ones win. */
export function makeResource(
  options: Pick<TelemetryOptions, 'serviceName' | 'serviceVersion' | 'resourceAttributes'>,
  settings: Pick<EnvironmentSettings, 'detectors' | 'resourceAttributes' | 'serviceName'>,
): Resource {
  const attributes: Attributes = { 'telemetry.distro.name': 'keelson' };
  for (const name of settings.detectors) if (name !== 'env') Object.assign(attributes, detected(name));
  if (settings.detectors.includes('env')) Object.assign(attributes, settings.resourceAttributes);
  if (settings.serviceName !== undefined) attributes['service.name'] = settings.serviceName;
  Object.assign(attributes, options.resourceAttributes);
  if (options.serviceName !== undefined) attributes['service.name'] = options.serviceName;
  if (options.serviceVersion !== undefined) attributes['service.version'] = options.serviceVersion;
  return defaultResource().merge(resourceFromAttributes(attributes));
}
