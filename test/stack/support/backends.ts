import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** One program to compile: its package, and the module folder under `backends/` that pins it. */
export interface Backend {
  readonly name: string;
  readonly module: string;
  readonly package: string;
  readonly flags?: readonly string[];
}

const MODULES = join(import.meta.dirname, '..', 'backends');

/** What decides the content of a binary beside the pins. */
export const BUILD_FLAGS: readonly string[] = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w'];

const PROMETHEUS_FLAGS = ['-tags=remove_all_sd'];

/** Programs that come straight from a pinned Go module, cheapest first. */
export const GO_PROGRAMS: readonly Backend[] = [
  {
    name: 'alertmanager',
    module: 'alertmanager',
    package: 'github.com/prometheus/alertmanager/cmd/alertmanager',
  },
  { name: 'amtool', module: 'alertmanager', package: 'github.com/prometheus/alertmanager/cmd/amtool' },
  {
    name: 'prometheus',
    module: 'prometheus',
    package: 'github.com/prometheus/prometheus/cmd/prometheus',
    flags: PROMETHEUS_FLAGS,
  },
  {
    name: 'promtool',
    module: 'prometheus',
    package: 'github.com/prometheus/prometheus/cmd/promtool',
    flags: PROMETHEUS_FLAGS,
  },
  { name: 'jaeger', module: 'jaeger', package: 'github.com/jaegertracing/jaeger/cmd/jaeger' },
  {
    name: 'docker-compose',
    module: 'compose',
    package: 'github.com/docker/compose/v2/cmd',
    // The version that it tells is a variable of its own build.
    flags: ['-ldflags=-s -w -X github.com/docker/compose/v2/internal.Version=v2.40.3'],
  },
];

/** The tool that generates the Collector's sources from `builder.yaml`. */
export const BUILDER: Backend = {
  name: 'ocb',
  module: 'collector',
  package: 'go.opentelemetry.io/collector/cmd/builder',
};

/** The Collector, made in two steps: sources by {@link BUILDER}, then a build against `collector/distribution.{mod,sum}`. */
export const COLLECTOR = 'otelcol';

const PINS = [
  ...['alertmanager', 'prometheus', 'jaeger', 'compose', 'collector'].flatMap((name) => [
    `${name}/go.mod`,
    `${name}/go.sum`,
  ]),
  'collector/builder.yaml',
  'collector/distribution.mod',
  'collector/distribution.sum',
];

/** Every program that the stack tests start or call. */
export type ProgramName =
  | 'alertmanager'
  | 'amtool'
  | 'prometheus'
  | 'promtool'
  | 'jaeger'
  | 'docker-compose'
  | typeof COLLECTOR;

/** @returns the folder of a backend's Go module */
export function moduleFolder(module: string): string {
  return join(MODULES, module);
}

/** @returns a short hash of everything that is pinned: another one means other binaries */
export function pinsHash(): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.platform, process.arch, BUILD_FLAGS, GO_PROGRAMS, BUILDER]));
  for (const pin of PINS) {
    const file = join(MODULES, pin);
    hash.update(`\0${pin}\0`);
    hash.update(existsSync(file) ? readFileSync(file) : 'absent');
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * Where the compiled programs are.
 *
 * @param env `KEELSON_STACK_CACHE` names the folder itself; otherwise it is under `XDG_CACHE_HOME` or `~/.cache`
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const root =
    env['KEELSON_STACK_CACHE'] ??
    join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keelson', 'stack');
  return join(root, pinsHash());
}

/**
 * @param name a program of the stack
 * @returns its path
 * @throws where it has not been compiled, with what to run
 */
export function program(name: ProgramName, env: NodeJS.ProcessEnv = process.env): string {
  const path = join(cacheFolder(env), name);
  if (!existsSync(path)) {
    throw new Error(
      `Expected the compiled ${name} at ${path}, found nothing. Run \`npm run stack:install\` (needs Go 1.26) first.`,
    );
  }
  return path;
}
