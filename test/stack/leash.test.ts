import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Child } from './support/child.ts';
import { ROOT } from './support/documents.ts';
import { until } from './support/poll.ts';

const CHILD = join(import.meta.dirname, 'support', 'child.ts');
const SLEEPER = 'console.log(process.pid); setInterval(() => {}, 1000)';
const STUBBORN = `process.on('SIGTERM', () => {}); ${SLEEPER}`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function gone(pid: number): Promise<true> {
  return until(`the end of process ${pid}`, async () => (isAlive(pid) ? undefined : true), 10_000);
}

const pidIn = (text: () => string): Promise<number> =>
  until('a process id', async () => Number(/\d+/.exec(text())?.[0]) || undefined, 10_000);

describe('a process of the stack', () => {
  test.each([
    ['ends when it is stopped', SLEEPER],
    ['ends when it is stopped, although it ignores that', STUBBORN],
  ])('%s', async (_, program) => {
    const child = new Child('sleeper', process.execPath, ['-e', program], ROOT);
    const pid = await pidIn(() => child.stdout);
    expect(isAlive(pid)).toBe(true);
    await child.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('ends when the test that started it is killed', async () => {
    const script = `import { Child } from ${JSON.stringify(CHILD)};
      const child = new Child('sleeper', process.execPath, ['-e', ${JSON.stringify(SLEEPER)}], ${JSON.stringify(ROOT)});
      setInterval(() => child.stdout && console.log(child.stdout), 50);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    parent.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const pid = await pidIn(() => output);
    parent.kill('SIGKILL');
    await once(parent, 'close');
    expect(await gone(pid)).toBe(true);
  });

  test('that cannot be started says so', async () => {
    const child = new Child('nothing', join(ROOT, 'no-such-program'), [], ROOT);
    expect(await child.ended()).toBe(127);
    expect(() => child.assertRunning()).toThrow(/nothing ended with 127:\n.*ENOENT/);
    await child.stop();
  });
});
