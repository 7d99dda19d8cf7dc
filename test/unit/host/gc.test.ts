import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const GC = pathToFileURL('src/host/gc.ts').href;

function run(body: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const source = `import { observeGc } from ${JSON.stringify(GC)};\n${body}`;
  return spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', source], {
    encoding: 'utf8',
    timeout: 15_000,
  });
}

test('tells each garbage collection with its type and seconds, until it is ended', () => {
  const { stdout, stderr } = run(`
    const seen = [];
    const end = observeGc((type, seconds) => seen.push({ type, seconds }));
    gc({ type: 'minor' });
    gc();
    setTimeout(() => {
      end();
      const before = seen.length;
      gc();
      setTimeout(() => console.log(JSON.stringify({ seen, after: seen.length - before })), 20);
    }, 20);
  `);
  expect(stderr).toBe('');
  const { seen, after }: { seen: { type: string; seconds: number }[]; after: number } = JSON.parse(stdout);
  expect(seen.map(({ type }) => type)).toEqual(expect.arrayContaining(['minor', 'major']));
  for (const { seconds } of seen) expect(seconds).toBeGreaterThan(0);
  expect(Math.max(...seen.map(({ seconds }) => seconds))).toBeLessThan(10);
  expect(after).toBe(0);
});

test('keeps no process alive', () => {
  expect(run('observeGc(() => {}); gc();')).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

test('drops what the listener throws', () => {
  const { status, stdout, stderr } = run(`
    let thrown = 0;
    observeGc(() => { thrown += 1; throw new Error('in the listener'); });
    gc();
    setTimeout(() => console.log(thrown > 0), 20);
  `);
  expect({ status, stdout: stdout.trim(), stderr }).toEqual({ status: 0, stdout: 'true', stderr: '' });
});
