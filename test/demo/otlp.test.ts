import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Summary } from '../../examples/demo/summary.ts';
import { startDemo } from './demo-process.ts';

test('--otlp sends every signal of every service to the endpoint', async () => {
  const received = new Map<string, Set<string>>();
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const services = received.get(request.url ?? '') ?? new Set();
      received.set(request.url ?? '', services);
      for (const [, service] of body.matchAll(/"service\.name","value":\{"stringValue":"(\w+)"/g))
        services.add(service ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'keelson-demo-'));
  onTestFinished(() => {
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const { port } = receiver.address() as AddressInfo;
  const args = [
    '--for',
    '5s',
    '--json',
    '--home',
    join(folder, 'home'),
    '--otlp',
    `http://127.0.0.1:${port}`,
  ];
  expect(await startDemo(...args).result).toMatchObject({ exit: 0, stderr: '' });

  const everyone = ['inventory', 'payments', 'shipping', 'storefront'];
  expect([...(received.get('/v1/traces') ?? [])].toSorted()).toEqual(everyone);
  expect([...(received.get('/v1/metrics') ?? [])].toSorted()).toEqual(everyone);
  expect([...(received.get('/v1/logs') ?? [])]).toContain('storefront');
}, 40_000);

test('an endpoint that is away costs a warning of each service, and no call', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-demo-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();

  const args = [
    '--for',
    '5s',
    '--json',
    '--home',
    join(folder, 'home'),
    '--otlp',
    `http://127.0.0.1:${port}`,
  ];
  const { exit, stderr, stdout } = await startDemo(...args).result;
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const { calls, warnings, telemetry } = JSON.parse(stdout) as Summary;
  for (const service of ['inventory', 'payments', 'shipping', 'storefront']) {
    expect(warnings).toContainEqual(
      expect.stringMatching(new RegExp(`^${service}: .*127\\.0\\.0\\.1:${port}`)),
    );
  }
  expect(calls['success']).toBeGreaterThan(50);
  expect(telemetry.records.traces).toBeGreaterThan(100);
}, 40_000);
