import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const run = promisify(execFile);

/** A payment service that hangs up on the first caller, or answers it with a 503. */
async function flakyPayments(first: 'hangs up' | 503 = 'hangs up'): Promise<string> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    if (calls > 1) response.end('paid at the second try');
    else if (first === 503) response.writeHead(503).end('closed for lunch');
    else request.destroy();
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

test.each(['first-guard.ts', 'observe-cockatiel.ts', 'from-cockatiel.ts'])(
  '%s takes a 503 for the failure that it is',
  async (file) => {
    expect(await example(file, { PAYMENTS_URL: await flakyPayments(503) })).toMatch(
      /^paid at the second try/,
    );
  },
);

test('from-opossum falls back on a 503', async () => {
  const url = `${await flakyPayments(503)}/charge`;
  expect(await example('from-opossum.ts', { PAYMENTS_URL: url })).toBe('later');
});

test('every example says how to run it on the Node of the checkout', () => {
  const files = globSync('examples/*.ts');
  expect(files.length).toBeGreaterThan(4);
  for (const file of files) {
    const comments = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('//'));
    expect(comments.join('\n'), file).toMatch(/npx node/);
    expect(comments.join('\n').replaceAll('npx node', ''), file).not.toMatch(/\bnode /);
  }
});
