import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createKeelson } from '../../../src/guard/index.ts';
import { requestIdMaker } from '../../../src/signals/request-id.ts';
import { FakeClock, seededRandom } from '../../../src/testing/index.ts';

test('two hundred thousand request ids of one second are all different', () => {
  const make = requestIdMaker(new FakeClock(), Math.random);
  const ids = new Set(Array.from({ length: 200_000 }, make));
  expect(ids.size).toBe(200_000);
});

test('each of the sixty bits of a request id changes', () => {
  const make = requestIdMaker(new FakeClock(), seededRandom(1));
  const suffixes = Array.from({ length: 200 }, () =>
    BigInt(`0x${make().slice('req_20260101_000000_'.length)}`),
  );
  const ones = suffixes.reduce((all, suffix) => all | suffix, 0n);
  const zeros = suffixes.reduce((all, suffix) => all & suffix, ones);
  expect([ones, zeros]).toEqual([(1n << 60n) - 1n, 0n]);
});

test('processes that start in the same second make different request ids', async () => {
  const program = `
    import { requestIdMaker } from ${JSON.stringify(resolve('src/signals/request-id.ts'))};
    const make = requestIdMaker({ epoch: () => 0 }, Math.random);
    console.log(Array.from({ length: 2_000 }, make).join(' '));`;
  const args = ['--input-type=module', '--eval', program];
  const run = promisify(execFile);
  const printed = await Promise.all(
    [1, 2, 3].map(() => run(process.execPath, args, { maxBuffer: 1_000_000 })),
  );
  const ids = printed.flatMap(({ stdout }) => stdout.trim().split(' '));
  expect(ids).toHaveLength(6_000);
  expect(new Set(ids).size).toBe(6_000);
});

test('an instance with a seeded random source makes the same request ids again', async () => {
  const idsOf = async (): Promise<unknown[]> => {
    const payments = createKeelson({ clock: new FakeClock(), random: seededRandom(7) }).guard('payments', {});
    const ids: string[] = [];
    for (let call = 0; call < 3; call += 1)
      ids.push(await payments.run('charge', ({ requestId }) => requestId));
    return ids;
  };
  expect(await idsOf()).toEqual(await idsOf());
});
