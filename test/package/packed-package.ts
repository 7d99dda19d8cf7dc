import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The tarball as npm would publish it, unpacked in an empty project beside the dependencies of this checkout. */
export interface PackedPackage {
  readonly tarball: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
  /** The folder of the project that uses it. */
  readonly project: string;
  /** Runs Node there; gives what it wrote to standard output. */
  node(...args: readonly string[]): Promise<string>;
  /** Runs the compiler over the project; gives its complaints. */
  typeCheck(): Promise<string>;
  /** Has attw look at the tarball; gives its report in JSON, and throws for a problem. */
  attw(): Promise<string>;
  remove(): void;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const ROOT = resolve(import.meta.dirname, '../..');

/** Says what to do where the package is not built; a stale `dist` shows in the tests themselves. */
export function requireBuild(): void {
  if (!existsSync(join(ROOT, 'dist/index.js')))
    throw new Error('dist/ is missing. Run `npm run build` first, or all of `npm test`.');
}

/** The subpaths of the package with the files behind them, below its root. */
export function entryPoints(): readonly {
  readonly subpath: string;
  readonly types: string;
  readonly code: string;
}[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string; default: string }>;
  };
  return Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'string' ? [] : [{ subpath, types: target.types, code: target.default }],
  );
}

function linkDependencies(modules: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: object;
  };
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name), 'dir');
  }
}

/** Telemetry that a test starts stays in its own folder. */
function quiet(home: string): NodeJS.ProcessEnv {
  const none = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' };
  return { ...process.env, ...none, KEELSON_HOME: join(home, '.keelson') };
}

async function output(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await run(command, [...args], { cwd, env: quiet(cwd), maxBuffer: MAX_OUTPUT_BYTES })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Packs the checkout; `dist` has to be there. */
export async function packPackage(): Promise<PackedPackage> {
  requireBuild();
  const project = mkdtempSync(join(tmpdir(), 'keelson-package-'));
  const packed = await output(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', project],
    ROOT,
  );
  const [{ filename, files }] = JSON.parse(packed) as [
    { filename: string; files: readonly { path: string }[] },
  ];
  const tarball = join(project, filename);

  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, 'keelson'), { recursive: true });
  await output('tar', ['-xzf', tarball, '-C', join(modules, 'keelson'), '--strip-components=1'], project);
  linkDependencies(modules);
  cpSync(join(import.meta.dirname, 'consumer'), project, { recursive: true });
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'consumer', private: true, type: 'module' }),
  );

  return {
    tarball,
    files: files.map(({ path }) => path),
    project,
    node: (...args) => output(process.execPath, args, project),
    typeCheck: async () => {
      const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
      return output(process.execPath, [compiler, '-p', 'tsconfig.json'], project);
    },
    attw: () =>
      output(
        join(ROOT, 'node_modules/.bin/attw'),
        [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'json'],
        project,
      ),
    remove: () => rmSync(project, { recursive: true, force: true }),
  };
}
