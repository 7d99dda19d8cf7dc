import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CallContext, GuardedDecorator } from '../../../src/guard/index.ts';
import { callContext, createKeelson, defaultKeelson, guard, guarded } from '../../../src/guard/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { deferred } from '../../support/deferred.ts';
import { failing } from '../../support/failing.ts';

/** What a compiler makes of `@decorator` on a method of this name. */
function method<This, Args extends unknown[], R>(
  decorator: GuardedDecorator,
  name: string | symbol,
  body: (this: This, ...args: Args) => Promise<R>,
): (this: This, ...args: Args) => Promise<R> {
  return decorator(body, { kind: 'method', name } as never);
}

function setUp(): { keelson: ReturnType<typeof createKeelson>; clock: FakeClock } {
  const clock = new FakeClock();
  return { clock, keelson: createKeelson({ clock }) };
}

describe('a guarded method', () => {
  test('keeps its instance and its arguments, and its name is the operation', async () => {
    const payments = setUp().keelson.guard('payments', {});
    const operations: string[] = [];
    payments.on((event) => event.type === 'call.settled' && operations.push(String(event.operation)));
    const object = {
      currency: 'EUR',
      charge: method(
        guarded(payments),
        'charge',
        async function (this: { currency: string }, amount: number, note: string) {
          return `${amount} ${this.currency} ${note}`;
        },
      ),
    };
    expect(await object.charge(7, 'tea')).toBe('7 EUR tea');
    expect(operations).toEqual(['charge']);
  });

  test('is retried, and sees each attempt and its signal', async () => {
    const { keelson, clock } = setUp();
    const payments = keelson.guard('payments', { retry: { retries: 2, delay: '1s', jitter: 0 } });
    const fn = failing(2);
    const seen: (CallContext | undefined)[] = [];
    const charge = method(guarded(payments), 'charge', async () => {
      seen.push(callContext());
      await Promise.resolve();
      expect(callContext()).toBe(seen.at(-1));
      return fn();
    });
    const run = charge();
    await clock.advance(10_000);
    expect(await run).toBe('ok');
    expect(seen.map((context) => context?.attempt)).toEqual([0, 1, 2]);
    expect(new Set(seen.map((context) => context?.requestId)).size).toBe(1);
    expect(seen.every((context) => context?.signal instanceof AbortSignal)).toBe(true);
  });

  test('is told through its signal that its time is over', async () => {
    const { keelson, clock } = setUp();
    const payments = keelson.guard('payments', { timeout: { attempt: '1s' } });
    let signal: AbortSignal | undefined;
    const charge = method(guarded(payments), 'charge', async () => {
      signal = callContext()?.signal;
      await deferred<void>().promise;
    });
    const run = charge();
    const settled = expect(run).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    await clock.advance(1_000);
    await settled;
    expect(signal?.aborted).toBe(true);
  });

  test('ends with the signal that its caller gave as the last argument', async () => {
    const payments = setUp().keelson.guard('payments', { retry: {} });
    const charge = method(guarded(payments), 'charge', async (_amount: number, signal: AbortSignal) => {
      await deferred<void>().promise;
      return signal;
    });
    const controller = new AbortController();
    const reason = new Error('left');
    const run = charge(7, controller.signal);
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(payments.snapshot().calls.cancelled).toBe(1);
  });

  test('is not done twice where it must not be', async () => {
    const { keelson, clock } = setUp();
    const payments = keelson.guard('payments', { retry: { retries: 2 } });
    const fn = failing(9);
    const run = method(guarded(payments, { idempotent: false }), 'charge', () => fn())();
    const settled = expect(run).rejects.toThrow('no');
    await clock.advance(100_000);
    await settled;
    expect(fn.executions).toBe(1);
  });

  test('finds its guard by name at the first call, or makes it when the class is defined', async () => {
    const late = method(guarded('guarded-late'), 'charge', async () => 'ok');
    expect(
      defaultKeelson()
        .guards()
        .map(({ name }) => name),
    ).not.toContain('guarded-late');
    guard('guarded-late', { bulkhead: { concurrent: 1 } });
    expect(await late()).toBe('ok');
    expect(guard('guarded-late').snapshot().calls.success).toBe(1);

    guarded('guarded-early', { bulkhead: { concurrent: 1 } });
    expect(
      defaultKeelson()
        .guards()
        .map(({ name }) => name),
    ).toContain('guarded-early');
    expect(() => guarded('guarded-broken', { bulkhead: { concurrent: 0 } })).toThrow(/concurrent/);
    expect(() => guarded('guarded-early', { bulkhead: { concurrent: 2 }, strict: true })).toThrow(
      /guarded\.test\.ts:\d+, and with other options at .*guarded\.test\.ts:\d+/,
    );
  });
});

test('a class that is defined again, by a module that is evaluated again, has the guard with its state', async () => {
  const define = (): (() => Promise<number>) => {
    const options = { bulkhead: { concurrent: 1 }, breaker: { failureIf: () => true } };
    return method(guarded('guarded-again', options), 'charge', async () => 1);
  };
  await define()();
  await define()();
  expect(guard('guarded-again').snapshot().calls.success).toBe(2);
});

describe('the context of the call', () => {
  test('is undefined outside of guards', () => {
    expect(callContext()).toBeUndefined();
  });

  test('is that of the innermost guarded method, also where its guard has no policies', async () => {
    const { keelson } = setUp();
    const outer = keelson.guard('outer', { timeout: { attempt: '1s' } });
    const inner = keelson.guard('inner', {});
    const seen: (string | undefined)[] = [];
    const innerCall = method(guarded(inner), 'find', async () => {
      seen.push(callContext()?.requestId);
    });
    const outerCall = method(guarded(outer), 'list', async () => {
      const own = callContext()?.requestId;
      seen.push(own);
      await innerCall();
      expect(callContext()?.requestId).toBe(own);
    });
    await outerCall();
    expect(seen).toHaveLength(2);
    expect(seen.every((id) => id !== undefined)).toBe(true);
    expect(new Set(seen).size).toBe(2);
  });

  test('lets the limits of the outer guard through where its own guard has none', async () => {
    const { keelson, clock } = setUp();
    const outer = keelson.guard('outer', { timeout: { attempt: '1s' } });
    const plain = keelson.guard('plain', {});
    const innermost = keelson.guard('innermost', { retry: { retries: 9, delay: '10s', jitter: 0 } });
    const fn = failing(99);
    const hopeless = method(guarded(plain), 'find', () => innermost.run('find', fn));
    await expect(outer.run('list', () => hopeless())).rejects.toThrow('no');
    expect(fn.executions).toBe(1);
    expect(innermost.snapshot().suppressed.deadline).toBe(1);

    let signal: AbortSignal | undefined;
    const hanging = method(guarded(plain), 'find', () =>
      innermost.run('find', (context) => {
        signal = context.signal;
        return deferred<void>().promise;
      }),
    );
    const run = outer.run('list', () => hanging());
    const settled = expect(run).rejects.toMatchObject({ code: 'ERR_KEELSON_TIMEOUT' });
    await clock.advance(1_000);
    await settled;
    expect(signal?.aborted).toBe(true);
    expect(innermost.snapshot()).toMatchObject({ calls: { cancelled: 1 }, inFlight: 0 });
  });

  test('is that of the argument in a run with a timeout', async () => {
    const { keelson } = setUp();
    const payments = keelson.guard('payments', { timeout: { attempt: '1s' } });
    await payments.run('charge', async (context) => {
      await Promise.resolve();
      expect(callContext()).toBe(context);
    });
    expect(callContext()).toBeUndefined();
  });
});

test('the example runs when TypeScript has lowered its decorators', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keelson-guarded-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = promisify(execFile);
  const tsc = resolve('node_modules/typescript/bin/tsc');
  const flags = [
    '--ignoreConfig',
    '--noCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--rootDir',
    'examples',
  ];
  await run(process.execPath, [tsc, 'examples/guarded.ts', ...flags, '--outDir', folder]);
  const compiled = await readFile(join(folder, 'guarded.js'), 'utf8');
  expect(compiled).not.toContain('@guarded');
  const program = join(folder, 'guarded.mjs');
  const keelson = pathToFileURL(resolve('dist/index.js')).href;
  await writeFile(program, compiled.replace("'keelson'", `'${keelson}'`));
  const { stdout, stderr } = await run(process.execPath, [program]);
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe('paid-42 paid-7');
});
