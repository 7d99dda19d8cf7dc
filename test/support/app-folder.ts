import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A library, and what instruments it; `%NAME%` is filled in. */
const LIBRARY = `exports.ship = (what) => what + ' shipped';`;
const LIBRARY_ESM = `export const ship = (what) => what + ' shipped';`;
const INSTRUMENTATION = `
const { InstrumentationBase, InstrumentationNodeModuleDefinition } = require('@opentelemetry/instrumentation');
class ParcelInstrumentation extends InstrumentationBase {
  constructor(config) { super('instrumentation-parcel', '1.0.0', config); }
  init() {
    const patch = (library) => {
      const ship = library.ship;
      const wrapped = (what) => this.tracer.startActiveSpan('ship ' + what, (span) => {
        try { return ship(what); } finally { span.end(); }
      });
      Object.defineProperty(library, 'ship', { value: wrapped, enumerable: true, configurable: true, writable: true });
      return library;
    };
    return ['parcel', 'parcel-esm'].map((name) => new InstrumentationNodeModuleDefinition(name, ['*'], patch));
  }
}
exports.somethingElse = () => {};
exports.ParcelInstrumentation = ParcelInstrumentation;
`;

/** The folder of an application with libraries and instrumentation packages of its own. Use with `using`. */
export class AppFolder {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), 'keelson-app-')));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  write(file: string, text: string): string {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  addPackage(name: string, code: string, manifest: Readonly<Record<string, unknown>> = {}): void {
    const folder = `node_modules/${name}`;
    this.write(
      `${folder}/package.json`,
      JSON.stringify({ name, version: '1.0.0', main: 'index.js', ...manifest }),
    );
    this.write(`${folder}/index.js`, code);
  }

  /** The same package that the tests have. */
  link(name: string): void {
    const path = join(this.path, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(realpathSync(resolve('node_modules', name)), path);
  }

  /** A copy of its own of a package that the tests have. */
  copy(name: string): void {
    const from = realpathSync(resolve('node_modules', name));
    cpSync(from, join(this.path, 'node_modules', name), { recursive: true });
  }

  /** The libraries `parcel` and `parcel-esm`, what instruments them, and an application that ships one of each kind. */
  addParcel(): { readonly module: string; readonly commonjs: string } {
    this.addPackage('parcel', LIBRARY);
    this.addPackage('parcel-esm', LIBRARY_ESM, { type: 'module' });
    this.addPackage('@opentelemetry/instrumentation-parcel', INSTRUMENTATION);
    return {
      module: this.write(
        'main.mjs',
        `import { ship } from 'parcel';\nimport { ship as shipEsm } from 'parcel-esm';\nconsole.log(ship('a'), shipEsm('b'));\n`,
      ),
      commonjs: this.write('main.cjs', `console.log(require('parcel').ship('a'));\n`),
    };
  }

  /** Everything that instrumentation packages need, shared with Keelson or in copies of its own. */
  addOpenTelemetry(kind: 'shared' | 'own copies'): void {
    if (kind === 'shared') {
      this.link('@opentelemetry/instrumentation');
      this.link('@opentelemetry/api');
      return;
    }
    for (const name of ['@opentelemetry/instrumentation', '@opentelemetry/api', 'import-in-the-middle'])
      this.copy(name);
    for (const name of ['require-in-the-middle', 'module-details-from-path', 'es-module-lexer'])
      this.link(name);
  }
}
