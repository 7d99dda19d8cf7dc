import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

const run = promisify(execFile);

/** A payment service that hangs up on the first caller. */
async function flakyPayments(): Promise<string> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    if (calls === 1) request.destroy();
    else response.end('paid at the second try');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function example(file: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [`examples/${file}`], {
    env: { ...process.env, ...env },
  });
  expect(stderr).toBe('');
  return stdout.trim();
}

test('first-guard runs as it stands, and retries', async () => {
  expect(await example('first-guard.ts')).toBe('paid { success: 1, failure: 0, timeout: 0, cancelled: 0 }');
  expect(await example('first-guard.ts', { PAYMENTS_URL: await flakyPayments() })).toBe(
    'paid at the second try { success: 1, failure: 1, timeout: 0, cancelled: 0 }',
  );
});

test('observe-cockatiel runs as it stands, and retries', async () => {
  expect(await example('observe-cockatiel.ts')).toBe('paid');
  expect(await example('observe-cockatiel.ts', { PAYMENTS_URL: await flakyPayments() })).toBe(
    'paid at the second try',
  );
});

test('what calls of cockatiel and opossum become runs as it stands', async () => {
  expect(await example('from-cockatiel.ts')).toBe('paid');
  expect(await example('from-cockatiel.ts', { PAYMENTS_URL: await flakyPayments() })).toBe(
    'paid at the second try',
  );
  expect(await example('from-opossum.ts')).toBe('paid-7');
  expect(await example('from-opossum.ts', { PAYMENTS_URL: 'http://127.0.0.1:1' })).toBe('later');
});
