import { expect, test, vi } from 'vitest';
import { breaker, createKeelson } from '../../../src/index.ts';

const explode = (): never => {
  throw new Error('typo in my strategy');
};

function checkLine(described: string): string | undefined {
  return described
    .split('\n')
    .find((line) => line.includes('breaker check'))
    ?.trim();
}

test('a strategy that throws when it is made is reported by name, and describe() states the rule in force', async () => {
  const warnings: string[] = [];
  const warn = (message: string): number => warnings.push(message);
  const guard = createKeelson({ warn }).guard('payments', { breaker: { strategy: explode, openFor: '30s' } });
  expect(warnings).toEqual([
    'guard "payments": `breaker.strategy` threw: Error: typo in my strategy. Failures in a row open the circuit in its place. Mend the strategy, or leave it out.',
  ]);
  expect(checkLine(guard.describe())).toBe(
    'breaker check: opens at 5 failures in a row, since the strategy threw when it was made, for 30s',
  );
  for (let failures = 0; failures < 5; failures += 1)
    await guard.outcome('op', () => Promise.reject(new Error('down')));
  expect(guard.breaker?.state).toBe('open');
  guard.breaker?.reset();
  expect(warnings).toHaveLength(1);
});

test('a strategy that throws when it is asked is reported once, and describe() says so', async () => {
  const warnings: string[] = [];
  const guard = createKeelson({ warn: (message) => warnings.push(message) }).guard('payments', {
    breaker: { strategy: () => ({ state: 0, success: explode, failure: explode }), openFor: '30s' },
  });
  expect(checkLine(guard.describe())).toBe("breaker check: opens at a strategy of cockatiel's, for 30s");
  for (let failures = 0; failures < 6; failures += 1)
    await guard.outcome('op', () => Promise.reject(new Error('down')));
  expect(guard.breaker?.state).toBe('closed');
  expect(warnings).toEqual([
    'guard "payments": `breaker.strategy` threw: Error: typo in my strategy. What it throws on does not count towards opening the circuit. Mend the strategy, or leave it out.',
  ]);
  expect(checkLine(guard.describe())).toBe(
    "breaker check: opens at a strategy of cockatiel's that has thrown, for 30s",
  );
});

test('a breaker policy by itself warns of its strategy as well', () => {
  const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const policy = breaker({ strategy: explode });
  policy.breaker.reset();
  expect(emitted.mock.calls).toEqual([
    [
      'breaker: `breaker.strategy` threw: Error: typo in my strategy. Failures in a row open the circuit in its place. Mend the strategy, or leave it out.',
      { type: 'KeelsonWarning', code: 'KEELSON_OPTIONS' },
    ],
  ]);
  emitted.mockRestore();
});
