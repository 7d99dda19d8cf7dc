import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DemoProcess } from './demo-process.ts';
import { alive, childrenOf, eventually, startDemo } from './demo-process.ts';

const READY_WITHIN_MS = 15_000;
const GONE_WITHIN_MS = 10_000;

/** Starts a long demo and waits for its four services. */
async function runningDemo(
  ...args: readonly string[]
): Promise<{ readonly demo: DemoProcess; readonly services: readonly number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-demo-'));
  const demo = startDemo('--for', '5m', '--home', join(folder, 'home'), ...args);
  onTestFinished(() => {
    demo.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const services = await eventually(
    () => childrenOf(demo.child.pid),
    (pids) => pids.length === 4,
    READY_WITHIN_MS,
  );
  expect(services).toHaveLength(4);
  return { demo, services };
}

const gone = (pids: readonly number[]): Promise<readonly number[]> =>
  eventually(
    () => alive(pids),
    (left) => left.length === 0,
    GONE_WITHIN_MS,
  );

describe('a demo that is ended early', () => {
  test('leaves no process behind when it is killed with SIGKILL', async () => {
    const { demo, services } = await runningDemo();
    demo.child.kill('SIGKILL');
    expect((await demo.result).exit).toBe('SIGKILL');
    expect(await gone(services)).toEqual([]);
  }, 40_000);

  test('stops its services on SIGINT and still says what it saw', async () => {
    const { demo, services } = await runningDemo();
    let seen = '';
    demo.child.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    await eventually(
      () => seen,
      (text) => text.includes('inventory'),
      READY_WITHIN_MS,
    );
    demo.child.kill('SIGINT');
    const { exit, stdout, stderr } = await demo.result;
    expect({ exit, stderr }).toEqual({ exit: 130, stderr: '' });
    expect(await gone(services)).toEqual([]);
    expect(stdout).toMatch(/^Calls {8}\d+ success/m);
    expect(stdout, 'no escape codes where nobody draws').not.toContain('\u001b');
  }, 40_000);

  test('ends when the shell that started it is killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-demo-'));
    const command = `"${process.execPath}" examples/demo/main.ts --for 5m --home "${folder}/home"; true`;
    const shell = spawn('sh', ['-c', command], { stdio: 'ignore' });
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const below = await eventually(
      () => {
        const demo = childrenOf(shell.pid);
        return [...demo, ...demo.flatMap((pid) => childrenOf(pid))];
      },
      (pids) => pids.length === 5,
      READY_WITHIN_MS,
    );
    expect(below).toHaveLength(5);
    shell.kill('SIGKILL');
    expect(await gone(below)).toEqual([]);
  }, 40_000);
});
