import { describe, expect, test, vi } from 'vitest';
import type { GuardEvent, GuardOptions } from '../../../src/index.ts';
import { createKeelson, fallback } from '../../../src/index.ts';
import { FakeClock, settlePromises } from '../../../src/testing/index.ts';
import { memoryTelemetry } from '../../support/memory-telemetry.ts';

declare const undefinedVariable: readonly number[];
const mistaken = async (): Promise<readonly number[]> => undefinedVariable.map((x) => x);
const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};

function setUp(options: GuardOptions): {
  guard: ReturnType<ReturnType<typeof createKeelson>['guard']>;
  clock: FakeClock;
  warnings: string[];
  telemetry: ReturnType<typeof memoryTelemetry>;
} {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const telemetry = memoryTelemetry();
  const keelson = createKeelson({ ...telemetry, clock, warn: (message) => warnings.push(message) });
  return { guard: keelson.guard('prices', options), clock, warnings, telemetry };
}

describe('a mistake of the program that a fallback hides', () => {
  test('is logged once, with its message and its stack', async () => {
    const { guard, warnings, telemetry } = setUp({ fallback: { value: [] } });
    const events: GuardEvent[] = [];
    guard.on((event) => event.type === 'mistake.hidden' && events.push(event));
    for (let i = 0; i < 20; i += 1) expect(await guard.run('list', mistaken)).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^guard "prices": `list` threw ReferenceError: undefinedVariable is not defined\. .*Mend it\.\n +at .*hidden-mistakes\.test\.ts/,
    );
    const records = telemetry.logRecords().filter(({ eventName }) => eventName === 'keelson.mistake.hidden');
    expect(records.map(({ attributes }) => attributes)).toEqual([
      expect.objectContaining({
        'keelson.operation.name': 'list',
        'exception.type': 'ReferenceError',
        'exception.message': 'undefinedVariable is not defined',
        'exception.stacktrace': expect.stringContaining('hidden-mistakes.test.ts'),
      }),
    ]);
    expect(events).toHaveLength(1);
  });

  test.each([
    new SyntaxError('a'),
    new RangeError('a'),
    new TypeError('a is not a function'),
    Object.assign(new Error('a'), { code: 'ERR_KEELSON_CACHE_VALUE' }),
  ])('is logged: %s', async (error) => {
    const { guard, warnings } = setUp({ fallback: { value: 1 } });
    await guard.run('list', throwing(error));
    expect(warnings).toHaveLength(1);
  });

  test.each([
    new Error('down'),
    new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }),
    'a string',
    undefined,
  ])('is not a failure of the dependency: %s', async (error) => {
    const { guard, warnings } = setUp({ fallback: { value: 1 } });
    await guard.run('list', throwing(error));
    expect(warnings).toEqual([]);
  });

  test('is told once for each operation and type', async () => {
    const { guard, warnings } = setUp({ fallback: { value: 1 } });
    for (const operation of ['a', 'b', 'a']) {
      await guard.run(operation, throwing(new RangeError('x')));
      await guard.run(operation, throwing(new SyntaxError('x')));
    }
    expect(warnings).toHaveLength(4);
  });

  test('is hidden by a stale value too', async () => {
    const { guard, clock, warnings } = setUp({ cache: { ttl: 10, jitter: 0, staleIfError: '1h' } });
    await guard.run('list', () => 'old', { cacheKey: 'a' });
    await clock.advance(20);
    expect(await guard.run('list', mistaken, { cacheKey: 'a' })).toBe('old');
    expect(warnings).toEqual([expect.stringContaining('ReferenceError')]);
  });

  test('is warned of by a fallback of its own', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const policy = fallback({ value: 1 });
    await policy.execute(mistaken);
    await policy.execute(mistaken);
    await settlePromises();
    expect(emitWarning.mock.calls.map(([message]) => String(message))).toEqual([
      expect.stringMatching(/^fallback: The function threw ReferenceError: .*\n +at /),
    ]);
    emitWarning.mockRestore();
  });

  test('is an error as any other without a fallback: the caller has it, and no warning is needed', async () => {
    const { guard, warnings } = setUp({});
    await expect(guard.run('list', mistaken)).rejects.toThrow('undefinedVariable is not defined');
    expect(warnings).toEqual([]);
  });
});
