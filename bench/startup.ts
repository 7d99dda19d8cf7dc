import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ratioLine } from './harness.ts';
import type { Goal } from './harness.ts';

/** Wall time from the start of a process to the first line of its application, with nothing, with Keelson, and with its peer preloaded. */

const USAGE = `Usage: npm run bench:startup -- [--rounds N] [--only LIST] [--json FILE]

  --rounds N   starts of each variant, in shuffled order (default 15)
  --only LIST  only these variants: bare, register, auto, register-with-peers
  --json FILE  write all figures to FILE
`;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const APP = at('./startup-app.mjs');
const PEERS = at('./startup-peers');
/** Out of sight of the linter, the compiler and the tests. */
const INSTALLED = at('../node_modules/.cache/startup-peers');
const REGISTER = at('../dist/telemetry/register.js');
const AUTO = '@opentelemetry/auto-instrumentations-node';

/** What is started: the preload, and the application's main file. */
interface Variant {
  readonly preload: string | undefined;
  readonly app: string;
}

/** `with-peers` has the forty instrumentation packages of its peer installed, and loads them too. */
const VARIANTS: Readonly<Record<string, Variant>> = {
  bare: { preload: undefined, app: APP },
  register: { preload: REGISTER, app: APP },
  auto: { preload: join(INSTALLED, 'node_modules', AUTO, 'dist/register.mjs'), app: APP },
  'register-with-peers': { preload: REGISTER, app: join(INSTALLED, 'startup-app.mjs') },
};

const GOALS: readonly (Goal & { readonly net: boolean })[] = [
  { over: 'register', under: 'auto', atMost: 0.8, net: false },
  { over: 'register', under: 'auto', atMost: 0.8, net: true },
  { over: 'register-with-peers', under: 'auto', net: false },
];

/** One start. */
interface Start {
  readonly ms: number;
  readonly mebibytes: number;
}

/** The medians of a variant. */
type Figures = Start;

function installPeers(): void {
  mkdirSync(INSTALLED, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(PEERS, file), join(INSTALLED, file));
  copyFileSync(APP, join(INSTALLED, 'startup-app.mjs'));
  if (existsSync(join(INSTALLED, 'node_modules', AUTO))) return;
  process.stderr.write(`npm ci for ${AUTO}\n`);
  const args = ['ci', '--no-audit', '--no-fund'];
  const { status } = spawnSync('npm', args, { cwd: INSTALLED, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ci failed. --only bare,register measures without ${AUTO}.`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  let output = '';
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    const end = output.indexOf('\n');
    if (end >= 0) return output.slice(0, end);
  }
  throw new Error('The application ended before its first line.');
}

async function start({ preload, app }: Variant, home: string): Promise<Start> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...(preload === undefined ? [] : ['--import', preload]), app], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      KEELSON_HOME: home,
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      // Nobody listens there, and the process ends before anything is sent. Detectors of clouds would ask the network.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process,serviceinstance',
    },
  });
  const line = await firstLine(child);
  const ms = performance.now() - startedAt;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  const { rss } = JSON.parse(line) as { rss: number };
  return { ms, mebibytes: rss / 2 ** 20 };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

async function measure(
  names: readonly string[],
  rounds: number,
  home: string,
): Promise<Map<string, Figures>> {
  const starts = new Map<string, Start[]>(names.map((name) => [name, []]));
  // The first round only warms the disk's cache.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of shuffled(names)) {
      const variant = VARIANTS[name];
      if (!variant) continue;
      const figures = await start(variant, home);
      if (round > 0) starts.get(name)?.push(figures);
    }
  }
  return new Map(
    Array.from(starts, ([name, list]) => [
      name,
      { ms: median(list.map(({ ms }) => ms)), mebibytes: median(list.map(({ mebibytes }) => mebibytes)) },
    ]),
  );
}

function report(figures: ReadonlyMap<string, Figures>): void {
  console.log(
    `node ${process.version}, ${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown CPU'}; load ${os.loadavg()[0]?.toFixed(1)}\n`,
  );
  console.log(`${'variant'.padEnd(24)}${'median ms'.padStart(12)}${'RSS MiB'.padStart(12)}`);
  for (const [name, { ms, mebibytes }] of figures) {
    console.log(name.padEnd(24) + ms.toFixed(0).padStart(12) + mebibytes.toFixed(0).padStart(12));
  }
  console.log('');
  const bare = figures.get('bare');
  for (const goal of GOALS) {
    const over = figures.get(goal.over);
    const under = figures.get(goal.under);
    if (!over || !under || (goal.net && !bare)) continue;
    const base = goal.net ? (bare?.ms ?? 0) : 0;
    const named = { ...goal, under: goal.net ? `${goal.under} without bare` : goal.under };
    console.log(ratioLine(named, (over.ms - base) / (under.ms - base)));
  }
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
} else {
  const only = values.only === '' ? Object.keys(VARIANTS) : values.only.split(',');
  const names = Object.keys(VARIANTS).filter((name) => only.includes(name));
  if (names.some((name) => VARIANTS[name]?.app !== APP || name === 'auto')) installPeers();
  const home = mkdtempSync(join(os.tmpdir(), 'keelson-startup-'));
  try {
    const figures = await measure(names, Number(values.rounds), home);
    report(figures);
    if (values.json !== undefined) {
      writeFileSync(
        values.json,
        `${JSON.stringify({ node: process.version, figures: Object.fromEntries(figures) }, null, 2)}\n`,
      );
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
