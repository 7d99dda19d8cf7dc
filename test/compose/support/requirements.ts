import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { program, type ProgramName } from '../../stack/support/backends.ts';

const TOOLS: readonly (readonly [command: string, debianPackage: string])[] = [
  ['dockerd', 'docker.io'],
  ['docker', 'docker.io'],
  ['containerd', 'docker.io'],
  ['iptables', 'docker.io'],
  ['tini', 'docker.io'],
  ['busybox', 'busybox-static'],
  ['unshare', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['mount', 'mount'],
  ['ip', 'iproute2'],
  ['tar', 'tar'],
];

const PROGRAMS: readonly ProgramName[] = [
  'alertmanager',
  'amtool',
  'prometheus',
  'promtool',
  'jaeger',
  'otelcol',
  'docker-compose',
];

/** What the machine has to have for a world with a Docker daemon. */
export interface Machine {
  readonly platform: string;
  readonly uid: number | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** @returns the path of a command, or undefined */
export function which(command: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find((path) => existsSync(path));
}

/** @returns everything that is missing, each with its remedy; nothing when the tests can start */
export function missingRequirements({ platform, uid, env }: Machine): readonly string[] {
  if (platform !== 'linux')
    return [`Expected Linux, got ${platform}: the tests start a Docker daemon in namespaces.`];
  const missing = TOOLS.filter(([command]) => which(command, env) === undefined);
  const packages = [...new Set(missing.map(([, name]) => name))];
  return [
    ...(uid === 0
      ? []
      : [`Expected to run as root, got user ${uid}: a Docker daemon of one's own needs it.`]),
    ...(missing.length === 0
      ? []
      : [
          `Missing: ${missing.map(([command]) => command).join(', ')}. Run \`apt-get install ${packages.join(' ')}\`.`,
        ]),
    ...PROGRAMS.flatMap((name) => {
      try {
        program(name, env);
        return [];
      } catch (error) {
        return [error instanceof Error ? error.message : String(error)];
      }
    }),
  ];
}
