import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AppFolder } from './app-folder.ts';

/** How a process ended, and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const NO_CODE = /\.(?:map|d\.ts|d\.cts)$/;

/** Keelson in the `node_modules` folder of an application: the built files in a copy that faults can be planted in. */
export class InstalledKeelson {
  readonly #app: AppFolder;

  constructor(app: AppFolder) {
    if (!existsSync('dist/telemetry/register.js'))
      throw new Error('These tests run what is built: npm run build first.');
    this.#app = app;
    const folder = join(app.path, 'node_modules/keelson');
    cpSync('dist', join(folder, 'dist'), { recursive: true, filter: (path) => !NO_CODE.test(path) });
    cpSync('package.json', join(folder, 'package.json'));
    app.write('package.json', '{}');
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
    for (const name of Object.keys(dependencies)) this.#link(name);
  }

  /**
   * Lets a built file, such as `telemetry/register/module-hooks`, run more code at its end. A function that it declares can be given another body there:
   * `startHostMetrics = () => { throw 1; }`.
   */
  plant(file: string, code: string): void {
    appendFileSync(this.#path(file), `\n${code}\n`);
  }

  /** Takes a built file away. */
  remove(file: string): void {
    rmSync(this.#path(file));
  }

  /** Takes a dependency away. */
  uninstall(name: string): void {
    rmSync(join(this.#app.path, 'node_modules/keelson/node_modules', name));
  }

  /** Puts a package of other code in place of a dependency. */
  replace(name: string, code: string, manifest: Readonly<Record<string, unknown>> = {}): void {
    this.uninstall(name);
    const folder = `node_modules/keelson/node_modules/${name}`;
    this.#app.write(
      `${folder}/package.json`,
      JSON.stringify({ name, version: '0.0.1', type: 'module', exports: './index.js', ...manifest }),
    );
    this.#app.write(`${folder}/index.js`, code);
  }

  /**
   * Runs Node in the application's folder, with telemetry that is sent nowhere.
   * @param input what it reads from standard input
   */
  node(args: readonly string[], input = ''): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.#app.path,
      encoding: 'utf8',
      timeout: 20_000,
      input,
      env: {
        PATH: process.env['PATH'],
        KEELSON_HOME: join(this.#app.path, 'k'),
        OTEL_EXPORTER_PROMETHEUS_PORT: '0',
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_METRICS_EXPORTER: 'prometheus',
        OTEL_LOGS_EXPORTER: 'none',
      },
    });
    return { status, stdout, stderr };
  }

  #path(file: string): string {
    return join(this.#app.path, `node_modules/keelson/dist/${file}.js`);
  }

  #link(name: string): void {
    const path = join(this.#app.path, 'node_modules/keelson/node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(realpathSync(resolve('node_modules', name)), path);
  }
}
