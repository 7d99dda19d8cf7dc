import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Backend,
  BUILD_FLAGS,
  BUILDER,
  cacheFolder,
  COLLECTOR,
  GO_PROGRAMS,
  moduleFolder,
} from './support/backends.ts';
import { checkGo } from './support/go-version.ts';

const HELP = `Compiles the backends of the stack tests from pinned Go modules (test/stack/backends).

Usage: npm run stack:install -- [--help]

Needs Go 1.26 or newer on the PATH and access to the Go module proxy. Takes about 14 minutes on two cores the
first time; a second run finds everything and ends at once. What is compiled: Alertmanager and amtool, Prometheus
and promtool, Jaeger, docker compose, and a Collector with the components that collector/config.yaml uses.

Environment:
  KEELSON_STACK_CACHE   folder for the binaries (default: $XDG_CACHE_HOME or ~/.cache, then keelson/stack)
`;

const HEARTBEAT_MS = 20_000;
const started = performance.now();

function say(text: string): void {
  console.log(`[${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s] ${text}`);
}

function run(what: string, command: string, args: readonly string[], cwd: string): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  const heartbeat = setInterval(() => say(`${what}: still at it`), HEARTBEAT_MS);
  return new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `${what}: \`${command} ${args.join(' ')}\` ended with ${code}:\n${output.join('').slice(-4000)}`,
          ),
        );
    });
  }).finally(() => clearInterval(heartbeat));
}

async function compile(backend: Backend, target: string): Promise<void> {
  const args = ['build', ...BUILD_FLAGS, ...(backend.flags ?? []), '-o', target, backend.package];
  await run(backend.name, 'go', args, moduleFolder(backend.module));
}

/** Generates the Collector's sources, then builds them against the committed module files. */
async function compileCollector(work: string): Promise<string> {
  const pins = moduleFolder('collector');
  const builder = join(work, BUILDER.name);
  await compile(BUILDER, builder);
  const sources = join(work, 'out');
  mkdirSync(sources);
  cpSync(join(pins, 'builder.yaml'), join(work, 'builder.yaml'));
  cpSync(join(pins, 'distribution.mod'), join(sources, 'go.mod'));
  cpSync(join(pins, 'distribution.sum'), join(sources, 'go.sum'));
  await run(
    BUILDER.name,
    builder,
    ['--config=builder.yaml', '--skip-get-modules', '--skip-compilation'],
    work,
  );
  const binary = join(work, COLLECTOR);
  await run(COLLECTOR, 'go', ['build', ...BUILD_FLAGS, '-o', binary, '.'], sources);
  return binary;
}

async function install(): Promise<void> {
  const cache = cacheFolder();
  const names = [...GO_PROGRAMS.map((each) => each.name), COLLECTOR];
  const missing = names.filter((name) => !existsSync(join(cache, name)));
  if (missing.length === 0) {
    say(`all ${names.length} programs are there: ${cache}`);
    return;
  }
  checkGo();
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, '.work-'));
  try {
    for (const backend of GO_PROGRAMS.filter((each) => missing.includes(each.name))) {
      say(`${backend.name}: compiling`);
      await compile(backend, join(work, backend.name));
      renameSync(join(work, backend.name), join(cache, backend.name));
      say(`${backend.name}: done`);
    }
    if (missing.includes(COLLECTOR)) {
      say(`${COLLECTOR}: compiling`);
      renameSync(await compileCollector(work), join(cache, COLLECTOR));
      say(`${COLLECTOR}: done`);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`compiled ${missing.length} programs: ${cache}`);
}

try {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } });
  if (values.help) console.log(HELP);
  else await install();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
