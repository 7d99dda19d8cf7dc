import { ConstantBackoff, handleAll, retry } from 'cockatiel';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../../src/core/errors.ts';
import type { CockatielPolicy, Guard, GuardOptions, ObserveOptions } from '../../../src/guard/index.ts';
import { createKeelson, guard, guarded, observe, registry } from '../../../src/guard/index.ts';

const DEFAULT = Symbol.for('keelson.default.v1');

/** The default instance as version 0.1.0 made it: a name that is taken is an error, and nothing can be disposed. */
function olderCopy(): string[] {
  const asked: string[] = [];
  const instance = createKeelson();
  const older = {
    guards: () => instance.guards(),
    registry: () => instance.registry(),
    observe: (policy: CockatielPolicy, options: ObserveOptions) => instance.observe(policy, options),
    guard(name: string, options?: GuardOptions): Guard {
      asked.push(name);
      const known = instance.guards().some((each) => each.name === name);
      if (known && options) throw new ConfigError(`guard "${name}"`, ['The name is taken.']);
      return instance.guard(name, options);
    },
  };
  const before: unknown = Reflect.get(globalThis, DEFAULT);
  Reflect.set(globalThis, DEFAULT, older);
  onTestFinished(() => void Reflect.set(globalThis, DEFAULT, before));
  return asked;
}

describe('a copy of the package beside an older one, which was loaded first', () => {
  test('makes its guards in the instance of the older one', async () => {
    const asked = olderCopy();
    const payments = guard('payments', { retry: { retries: 1 } });
    expect(guard('payments')).toBe(payments);
    expect(await payments.run('charge', async () => 'paid')).toBe('paid');
    guarded('inventory', { bulkhead: {} });
    const policy = retry(handleAll, { maxAttempts: 1, backoff: new ConstantBackoff(0) });
    expect(await observe(policy, { name: 'observed' }).execute(() => 1)).toBe(1);
    expect(registry().map(({ name }) => name)).toEqual(['payments', 'inventory']);
    expect(asked).toEqual(['payments', 'payments', 'inventory']);
  });

  test('has the rules of the older one for a name that is taken', () => {
    olderCopy();
    const make = (): Guard => guard('payments', { retry: { retryIf: () => true } });
    make();
    expect(make).toThrow(/The name is taken/);
  });
});
