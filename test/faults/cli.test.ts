import {
  appendFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/otlp-receiver.ts';
import { packageName } from '../tidy/layers.ts';
import { CLI, CliProcess, runCliProcess } from './cli-process.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const LINE = `${JSON.stringify({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: Array.from({ length: 50 }, (_, id) => ({
            traceId: 'a'.repeat(32),
            spanId: 'b'.repeat(16),
            name: `span ${id}`,
            startTimeUnixNano: '1',
            endTimeUnixNano: '2',
          })),
        },
      ],
    },
  ],
})}\n`;

/** A home with a segment of traces. */
function homeWith(text: string): { readonly home: string; readonly segment: string } {
  const home = temporaryFolder();
  const folder = join(home, 'telemetry/traces');
  mkdirSync(folder, { recursive: true });
  const segment = join(folder, '2026-11-22T000000000Z-1-abcd-0.jsonl');
  writeFileSync(segment, text);
  return { home, segment };
}

/** The files that a command line loads, as V8 counts them. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  await runCliProcess(args, { NODE_V8_COVERAGE: folder });
  return globSync(join(folder, '*.json')).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(file, 'utf8')) as { result: readonly { url: string }[] };
    return result.map(({ url }) => url);
  });
}

const packages = (urls: readonly string[]): readonly string[] => [
  ...new Set(
    urls.flatMap((url) =>
      url.includes('/node_modules/') ? packageName(url.split('/node_modules/').at(-1) ?? '') : [],
    ),
  ),
];

describe('the built CLI', () => {
  test('begins with the line that makes it a program', () => {
    expect(readFileSync(CLI, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test.each([
    [['--help'], 0],
    [['telemetry', 'status', '--help'], 0],
    [['--version'], 0],
    [[], 2],
    [['telemetry', 'nothing'], 2],
    [['telemetry', 'status', '--home', '/dev/null/nowhere'], 0],
  ])('ends %j with %i', async (args, code) => {
    expect(await runCliProcess(args)).toMatchObject({ code, signal: null });
  });

  test('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await runCliProcess(['--version'])).stdout).toBe(`${version}\n`);
  });

  test('colours by NO_COLOR and FORCE_COLOR', async () => {
    const args = ['telemetry', 'status', '--home', temporaryFolder()];
    expect((await runCliProcess(args, { FORCE_COLOR: '1' })).stdout).toContain(
      '\u001b[32mNothing needs attention.',
    );
    expect((await runCliProcess(args, { NO_COLOR: '1' })).stdout).not.toContain('\u001b');
    expect((await runCliProcess(args)).stdout).not.toContain('\u001b');
  });

  test('ends quietly when its reader goes away', async () => {
    const { home } = homeWith(LINE.repeat(2_000));
    const tail = new CliProcess(['telemetry', 'tail', '-n', '100000', '--json', '--home', home]);
    tail.child.stdout.once('data', () => tail.child.stdout.destroy());
    expect(await tail.ended).toMatchObject({ code: 141, signal: null, stderr: '' });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends within a second of %s, with %i', async (signal, code) => {
    const { home, segment } = homeWith(LINE);
    const tail = new CliProcess(['telemetry', 'tail', '--follow', '--home', home]);
    await eventually(() => tail.stdout.includes('span 49'), 'the items that are there');
    appendFileSync(segment, LINE.replace('span 0', 'span new'));
    await eventually(() => tail.stdout.includes('span new'), 'the item that came');
    const asked = performance.now();
    tail.child.kill(signal);
    expect(await tail.ended).toMatchObject({ code, signal: null });
    expect(performance.now() - asked).toBeLessThan(1_000);
  });

  test('reads half a GiB of lines in a heap of 48 MiB', async () => {
    const file = join(temporaryFolder(), 'big.jsonl.gz');
    const MIB = 1_048_576;
    const lines = Math.ceil(MIB / LINE.length);
    const member = gzipSync(LINE.repeat(lines));
    writeFileSync(file, Buffer.concat(Array.from({ length: 512 }, () => member)));
    // Written at the end of the process: the most memory that it ever had, in KiB.
    const peak = 'process.on("exit", () => console.error(`peak ${process.resourceUsage().maxRSS}`))';
    const verify = new CliProcess(['telemetry', 'verify', file, '--json'], {}, [
      '--max-old-space-size=48',
      '--import',
      `data:text/javascript,${encodeURIComponent(peak)}`,
    ]);
    const { code, stdout, stderr } = await verify.ended;
    expect({ code, report: JSON.parse(stdout) as unknown }).toMatchObject({
      code: 0,
      report: { items: { traces: 512 * lines * 50 }, problemCount: 0 },
    });
    expect(Number(/peak (\d+)/.exec(stderr)?.[1]) / 1_024).toBeLessThan(256);
  }, 120_000);

  test('loads commander for its help, and neither an SDK nor the work of a command', async () => {
    const loaded = await loadedBy(['--help']);
    expect(packages(loaded)).toEqual(['commander']);
    // The names of the signals, which `--signal` takes.
    const work = loaded.filter((url) =>
      /\/dist\/(?:telemetry(?!\/semconv\.js)|signals|host|guard)\//.test(url),
    );
    expect(work).toEqual([]);
    const working = await loadedBy(['telemetry', 'status', '--home', temporaryFolder()]);
    expect(working.filter((url) => url.includes('/dist/telemetry/'))).not.toEqual([]);
  });
});
