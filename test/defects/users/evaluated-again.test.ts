import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createViteServer } from 'vitest/node';
import type { Guard } from '../../../src/index.ts';
import { AppFolder } from '../../support/app-folder.ts';

/** What the modules of these tests export. */
interface Evaluated {
  readonly payments: Guard;
}

const warnings: string[] = [];
const collect = ({ name, message }: Error): void => {
  if (name === 'KeelsonWarning') warnings.push(message);
};

beforeEach(() => {
  warnings.length = 0;
  process.on('warning', collect);
});
afterEach(() => process.off('warning', collect));

/** Node tells of warnings in the next turn of the event loop. */
const told = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The text of a module that creates a guard: each version has other options, and functions of the same text. */
function moduleText(name: string, version: number): string {
  return [
    "import { guard } from 'keelson';",
    `export const payments = guard('${name}', {`,
    `  retry: { retries: ${version}, delay: 1, retryIf: (error) => error.status !== 404 },`,
    '  breaker: { failures: 1, openFor: "1m", failureIf: () => true },',
    '});',
  ].join('\n');
}

const fails = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { status: 404 }));

describe('a test that resets its modules', () => {
  test('has the guard again, with its state, although Keelson itself is evaluated again too', async () => {
    const load = async (): Promise<Evaluated & { readonly guard: unknown }> => {
      const { guard } = await import('../../../src/index.ts');
      return { guard, payments: guard('reset modules', { retry: { retryIf: () => true }, breaker: {} }) };
    };
    const first = await load();
    await first.payments.run('charge', async () => 1);
    vi.resetModules();
    const second = await load();
    expect(second.guard).not.toBe(first.guard);
    expect(second.payments).toBe(first.payments);
    await second.payments.run('charge', async () => 2);
    expect(first.payments.snapshot().calls.success).toBe(2);
    await told();
    expect(warnings).toEqual([]);
  });

  test('begins anew after it has disposed the guard', async () => {
    const load = async (): Promise<Guard> => {
      const { guard } = await import('../../../src/index.ts');
      return guard('reset and disposed', { breaker: { failures: 1 }, strict: true });
    };
    const first = await load();
    await first.outcome('charge', fails);
    first.dispose();
    vi.resetModules();
    const second = await load();
    expect(second.breaker?.state).toBe('closed');
    expect(second.snapshot().calls.failure).toBe(0);
  });
});

describe('a module that Vite loads for the server', () => {
  test('has its guard again after an edit, with its state and the newer options, and a warning that names the places', async () => {
    using app = new AppFolder();
    app.write('node_modules/README', 'Beside it is the package that is built here.');
    symlinkSync(resolve('.'), join(app.path, 'node_modules/keelson'));
    const file = app.write('payments.mjs', moduleText('vite', 1));
    const server = await createViteServer({
      root: app.path,
      configFile: false,
      appType: 'custom',
      logLevel: 'silent',
      server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    });
    onTestFinished(() => server.close());
    const load = async (): Promise<Guard> => {
      server.moduleGraph.invalidateAll();
      return ((await server.ssrLoadModule(file)) as Evaluated).payments;
    };

    const payments = await load();
    await payments.outcome('charge', fails);
    expect(payments.breaker?.state).toBe('open');
    expect(await load()).toBe(payments);
    await told();
    expect(warnings).toEqual([]);

    app.write('payments.mjs', moduleText('vite', 5));
    expect(await load()).toBe(payments);
    app.write('payments.mjs', moduleText('vite', 6));
    expect(await load()).toBe(payments);
    expect(payments.breaker?.state).toBe('open');
    expect(payments.snapshot().calls.failure).toBe(1);
    expect(payments.describe()).toContain('6');
    await told();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^guard "vite": It was created at \S+payments\.mjs:\d+, and with other options at \S+payments\.mjs:\d+\. /,
      ),
    ]);
  });
});
