import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeelson, guarded } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';

/** A service as NestJS has them: a route's metadata on the method, a base class, a static method, and a method under a symbol. */
const SERVICE = `
import { createKeelson, guarded } from 'keelson';

const metadata = new WeakMap<object, Map<unknown, unknown>>();
const of = (target: object) => metadata.get(target) ?? metadata.set(target, new Map()).get(target)!;
Object.assign(Reflect, {
  metadata: () => () => {},
  getOwnMetadataKeys: (target: object) => [...of(target).keys()],
  getOwnMetadata: (key: unknown, target: object) => of(target).get(key),
  defineMetadata: (key: unknown, value: unknown, target: object) => void of(target).set(key, value),
});
const Route = (path: string) => (_target: object, _key: string | symbol, descriptor: PropertyDescriptor) =>
  void of(descriptor.value).set('path', path);

const payments = createKeelson().guard('payments', { retry: { retries: 2, delay: 1 }, timeout: { attempt: '5s' } });
const whole = Symbol('whole');

class Base {
  tries = 0;
  @guarded(payments)
  async charge(amount: number): Promise<string> {
    this.tries += 1;
    if (this.tries < 3) throw new Error('flaky');
    return \`paid \${amount} after \${this.tries}\`;
  }
  async find<T>(value: T): Promise<T> {
    return value;
  }
}
class Service extends Base {
  @guarded(payments)
  @Route('/charge')
  override async charge(amount: number, currency = 'EUR'): Promise<string> {
    return \`\${await super.charge(amount)} \${currency}\`;
  }
  @Route('/find')
  @guarded(payments)
  override async find<T>(value: T): Promise<T> {
    return value;
  }
  @guarded(payments)
  static async open(): Promise<boolean> {
    return this === Service;
  }
  @guarded(payments)
  async [whole](): Promise<string> {
    return 'all';
  }
}
const service = new Service();
const result: string = await service.charge(7);
const values: string[] = [await service.find('x'), await service[whole]()];
console.log(JSON.stringify({
  result, values, isClass: await Service.open(),
  paths: [of(service.charge).get('path'), of(service.find).get('path')],
  name: service.charge.name, length: service.charge.length,
  keys: Object.keys(Service.prototype),
  calls: payments.snapshot().calls,
}));
`;

/** Compiles and checks a program under `experimentalDecorators`, as NestJS and TypeORM do. @returns what it prints */
async function lowered(program: string): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-legacy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const compilerOptions = {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    moduleDetection: 'force',
    strict: true,
    skipLibCheck: true,
    lib: ['es2024', 'esnext.disposable', 'esnext.decorators'],
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    typeRoots: [resolve('node_modules/@types')],
    types: ['node'],
    paths: { keelson: [resolve('dist/index.d.ts')] },
    outDir: 'out',
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['service.ts'] }));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'service.ts'), program);
  const run = promisify(execFile);
  await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', folder]);
  const compiled = await readFile(join(folder, 'out/service.js'), 'utf8');
  expect(compiled).toContain('__decorate(');
  const entry = join(folder, 'out/service.mjs');
  await writeFile(entry, compiled.replace("'keelson'", `'${pathToFileURL(resolve('dist/index.js')).href}'`));
  const { stdout } = await run(process.execPath, [entry]);
  return JSON.parse(stdout);
}

/** What a compiler with \`experimentalDecorators\` passes for a member of this kind. */
function legacy(...given: unknown[]): unknown {
  const decorator = guarded(createKeelson().guard('payments', {})) as (...args: unknown[]) => unknown;
  return decorator(...given);
}

describe('under experimentalDecorators a decorated method is guarded', () => {
  test('with its instance, base class, static methods, symbols and types', async () => {
    expect(await lowered(SERVICE)).toEqual({
      result: 'paid 7 after 3 EUR',
      values: ['x', 'all'],
      isClass: true,
      paths: ['/charge', '/find'],
      name: 'charge',
      length: 1,
      keys: [],
      // The override retries the two failures of `super.charge`, which is guarded itself.
      calls: { success: 5, failure: 2, timeout: 0, rejected: 0, cancelled: 0 },
    });
  });
});

describe('a decorator that could guard nothing is an error when the class is defined', () => {
  const Target = FakeClock;
  const anything = { configurable: true };
  const misplaced: Record<string, readonly unknown[]> = {
    'a class': [Target],
    'a class, as a standard decorator': [Target, { kind: 'class', name: 'Target' }],
    'a field': [Target.prototype, 'charge', undefined],
    'a field, as Babel passes it': [Target.prototype, 'charge', { ...anything, initializer: () => 1 }],
    'a field, as a standard decorator': [undefined, { kind: 'field', name: 'charge' }],
    'a getter': [Target.prototype, 'charge', { ...anything, get: () => 1, set: undefined }],
    'a getter, as a standard decorator': [() => 1, { kind: 'getter', name: 'charge' }],
    'a parameter': [Target.prototype, 'charge', 0],
    'an async generator': [Target.prototype, 'list', { ...anything, value: async function* list() {} }],
    'an async generator, as a standard decorator': [async function* () {}, { kind: 'method', name: 'list' }],
    'a generator': [function* () {}, { kind: 'method', name: 'list' }],
  };
  test.each(Object.entries(misplaced))('on %s', (_what, given) => {
    expect(() => legacy(...given)).toThrow(
      expect.objectContaining({
        code: 'ERR_KEELSON_CONFIG',
        message: expect.stringContaining('@guarded: Expected a method that returns a promise, got a'),
      }),
    );
  });

  test('for a target that is no guard, an `idempotent` that is no boolean, or policies beside a guard', () => {
    const untyped = guarded as (target: unknown, options?: object) => unknown;
    const keelson = createKeelson();
    const payments = keelson.guard('payments', {});
    for (const target of [undefined, keelson, 7])
      expect(() => untyped(target)).toThrow(/to be a guard or the name of one/);
    expect(() => untyped('payments', { idempotent: 'no' })).toThrow(/`idempotent` to be true or false/);
    expect(() => untyped(payments, { retry: {} })).toThrow(/`retry` to be left out/);
    expect(() => untyped('payments', { idempotant: false })).toThrow(/Did you mean|Unknown option/);
  });
});

test('the signal of another realm as the last argument ends the call', async () => {
  const payments = createKeelson().guard('payments', { retry: {} });
  const controller = new AbortController();
  const foreign = Object.create(Object.prototype, {
    [Symbol.toStringTag]: { value: 'AbortSignal' },
    aborted: { get: () => controller.signal.aborted },
    reason: { get: () => controller.signal.reason },
    addEventListener: { value: controller.signal.addEventListener.bind(controller.signal) },
    removeEventListener: { value: controller.signal.removeEventListener.bind(controller.signal) },
  });
  const body = (_signal: unknown): Promise<void> => new Promise(() => {});
  const { value: charge } = guarded(payments)({}, 'charge', { value: body, configurable: true });
  const run = charge?.(foreign);
  controller.abort(new Error('left'));
  await expect(run).rejects.toThrow('left');
});
