import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NextProcess } from './support/next-process.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');
const RELOAD_MS = 60_000;

/** What the application says after a call of its own. */
interface Answer {
  readonly version: number;
  readonly value: string;
  /** Successful calls of the guard so far. */
  readonly calls: number;
  readonly attemptTimeout: string;
}

let folder = '';

/** Installs the packed package beside Next.js, in a folder of its own. The compiler of Next.js, SWC, is a package of the registry too. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keelson-next-'));
  cpSync(join(import.meta.dirname, 'app'), folder, { recursive: true });
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const install = [
    'install',
    '--prefer-offline',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    join(folder, filename),
  ];
  await run('npm', install, { cwd: folder });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function ask(address: string, path: string): Promise<Answer> {
  const response = await fetch(new URL(path, address));
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answers ${response.status}: ${text.slice(0, 2_000)}`);
  const json =
    path === '/' ? /<pre id="answer">(.*?)<\/pre>/.exec(text)?.[1]?.replaceAll('&quot;', '"') : text;
  return JSON.parse(json ?? '') as Answer;
}

/** Changes the module that creates the guard, as somebody does in an editor. @param replacements what is replaced by the text after it */
function edit(...replacements: readonly string[]): void {
  const file = join(folder, 'services/payments.js');
  let text = readFileSync(file, 'utf8');
  for (let at = 0; at < replacements.length; at += 2) {
    const [from = '', to = ''] = replacements.slice(at, at + 2);
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
}

test('what Next.js compiles with comes from the registry', () => {
  expect(readdirSync(join(folder, 'node_modules/@next')).some((name) => name.startsWith('swc-'))).toBe(true);
  expect(existsSync(join(folder, 'node_modules/next/next-swc-fallback'))).toBe(false);
});

describe.each(['turbopack', 'webpack'])('an application that %s has built', (bundler) => {
  const env = { DIST_FOLDER: `.next-${bundler}` };

  test('has one guard for its page, its routes and its instrumentation', async () => {
    await using build = new NextProcess(folder, ['build', `--${bundler}`], env);
    expect(await build.ended, build.output).toBe(0);
    expect(build.output).not.toContain('KeelsonWarning');

    await using service = new NextProcess(folder, ['start', '-H', '127.0.0.1', '-p', '0'], env);
    const address = await service.address();
    const seen: number[] = [];
    for (const path of ['/', '/first', '/second', '/first']) seen.push((await ask(address, path)).calls);
    // The instrumentation made the first call.
    expect(seen).toEqual([2, 3, 4, 5]);
    expect(service.output).not.toContain('KeelsonWarning');
  });
});

test.each(['turbopack', 'webpack'])(
  'next dev with %s keeps the state of a guard whose module is edited, and says where the options became others',
  async (bundler) => {
    cpSync(join(import.meta.dirname, 'app/services'), join(folder, 'services'), { recursive: true });
    const env = { DIST_FOLDER: `.next-dev-${bundler}` };
    await using service = new NextProcess(folder, ['dev', `--${bundler}`, '-H', '127.0.0.1', '-p', '0'], env);
    const address = await service.address();
    let calls = 1;
    /** Asks until the module has this version; an error page fails the test. */
    const reach = async (path: string, version: number): Promise<Answer> => {
      const deadline = Date.now() + RELOAD_MS;
      for (;;) {
        const answer = await ask(address, path);
        calls += 1;
        expect(answer.calls).toBe(calls);
        if (answer.version === version) return answer;
        if (Date.now() > deadline) throw new Error(`${path} still has version ${answer.version}.`);
      }
    };
    await reach('/first', 1);
    await reach('/second', 1);
    await reach('/', 1);

    edit('VERSION = 1', 'VERSION = 2');
    await reach('/first', 2);
    await reach('/second', 2);
    expect(await reach('/', 2)).toMatchObject({ attemptTimeout: 'timeout: 2s' });
    expect(service.output).not.toContain('KeelsonWarning');

    edit('VERSION = 2', 'VERSION = 3', "attempt: '2s'", "attempt: '3s'");
    expect(await reach('/first', 3)).toMatchObject({ attemptTimeout: 'timeout: 3s' });
    await reach('/second', 3);
    await reach('/', 3);
    const warnings = service.output.match(/KeelsonWarning: .*/g) ?? [];
    expect(warnings).toEqual([
      expect.stringMatching(
        /guard "payments": It was created at \S*payments\.js:5, and with other options at \S*payments\.js:5\. /,
      ),
    ]);
  },
);
