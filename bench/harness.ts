import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';

/** One thing to measure: prepares itself in a process of its own and gives the call to repeat. */
export type Variant = () => Promise<() => Promise<unknown>>;

/** A ratio of two medians, and the goal that it has. */
export interface Goal {
  readonly over: string;
  readonly under: string;
  /** The ratio is to be at most this; left out for one that is only shown. */
  readonly atMost?: number;
}

/** A benchmark: what is measured, and what is expected of the ratios. */
export interface Benchmark {
  readonly file: string;
  readonly variants: Readonly<Record<string, Variant>>;
  readonly goals: readonly Goal[];
}

interface Settings {
  readonly passes: number;
  readonly samples: number;
  readonly calls: number;
}

/** What one variant took, in nanoseconds of wall time for a call. */
interface Figures {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
  readonly samples: number;
}

const USAGE = `Usage: npm run bench:NAME -- [--passes N] [--samples N] [--calls N] [--only TEXT] [--json FILE]

  --passes N   child processes for each variant, in shuffled order (default 7)
  --samples N  samples in each child process (default 5)
  --calls N    calls in each sample (default 20000)
  --only TEXT  only variants whose name contains TEXT
  --json FILE  write all figures to FILE
`;

/** Timers, exports and sockets get their turn after so many calls; the cost counts, and is the same for every variant. */
const YIELD_EVERY = 256;

/** Runs the benchmark that the command line asks for, or one variant of it where this is the child process. */
export async function runBenchmark(benchmark: Benchmark): Promise<void> {
  const { values } = parseArgs({
    options: {
      passes: { type: 'string', default: '7' },
      samples: { type: 'string', default: '5' },
      calls: { type: 'string', default: '20000' },
      only: { type: 'string' },
      json: { type: 'string' },
      variant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const settings = {
    passes: Number(values.passes),
    samples: Number(values.samples),
    calls: Number(values.calls),
  };
  if (values.variant !== undefined) {
    await runVariant(benchmark, values.variant, settings);
    return;
  }
  const names = Object.keys(benchmark.variants).filter((name) => name.includes(values.only ?? ''));
  const figures = measure(benchmark, names, settings);
  report(benchmark, figures);
  if (values.json !== undefined) writeFileSync(values.json, toJson(benchmark, figures, settings));
}

async function runVariant(
  { variants }: Benchmark,
  name: string,
  { samples, calls }: Settings,
): Promise<void> {
  const call = await variants[name]?.();
  if (!call) throw new Error(`There is no variant ${name}.`);
  await repeat(call, calls);
  const nanoseconds: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    globalThis.gc?.();
    const startedAt = process.hrtime.bigint();
    await repeat(call, calls);
    nanoseconds.push(Number(process.hrtime.bigint() - startedAt) / calls);
  }
  process.stdout.write(`${JSON.stringify(nanoseconds)}\n`, () => process.exit(0));
}

async function repeat(call: () => Promise<unknown>, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await call();
    if (i % YIELD_EVERY === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function measure(benchmark: Benchmark, names: readonly string[], settings: Settings): Map<string, Figures> {
  const samples = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let pass = 0; pass < settings.passes; pass += 1) {
    for (const name of shuffled(names)) samples.get(name)?.push(...spawnVariant(benchmark, name, settings));
    process.stderr.write(`pass ${pass + 1} of ${settings.passes}\n`);
  }
  return new Map([...samples].map(([name, values]) => [name, figuresOf(values)]));
}

function spawnVariant({ file }: Benchmark, name: string, { samples, calls }: Settings): number[] {
  const args = [
    '--expose-gc',
    file,
    '--variant',
    name,
    '--samples',
    String(samples),
    '--calls',
    String(calls),
  ];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
  if (child.status !== 0) throw new Error(`The variant ${name} failed:\n${child.stderr}`);
  return JSON.parse(child.stdout) as number[];
}

function figuresOf(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return { median: quantile(0.5), p25: quantile(0.25), p75: quantile(0.75), samples: sorted.length };
}

function report({ goals }: Benchmark, figures: ReadonlyMap<string, Figures>): void {
  const machine = `node ${process.version}, ${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown CPU'}`;
  console.log(`${machine}; load ${os.loadavg()[0]?.toFixed(1)}\n`);
  console.log(`${'variant'.padEnd(36)}${'median ns'.padStart(12)}${'p25'.padStart(10)}${'p75'.padStart(10)}`);
  for (const [name, { median, p25, p75 }] of figures) {
    const columns = [
      median.toFixed(0).padStart(12),
      p25.toFixed(0).padStart(10),
      p75.toFixed(0).padStart(10),
    ];
    console.log(name.padEnd(36) + columns.join(''));
  }
  console.log('');
  for (const goal of goals) {
    const ratio = ratioOf(goal, figures);
    if (ratio !== undefined) console.log(ratioLine(goal, ratio));
  }
}

function ratioOf({ over, under }: Goal, figures: ReadonlyMap<string, Figures>): number | undefined {
  const numerator = figures.get(over);
  const denominator = figures.get(under);
  return numerator && denominator ? numerator.median / denominator.median : undefined;
}

/** The line that every benchmark prints for a ratio: `ratio a/b 0.33 goal <= 0.35 ok`. */
export function ratioLine({ over, under, atMost }: Goal, ratio: number): string {
  const shown = `ratio ${over}/${under} ${ratio.toFixed(2)}`;
  return atMost === undefined
    ? shown
    : `${shown} goal <= ${atMost.toFixed(2)} ${ratio <= atMost ? 'ok' : 'short'}`;
}

function toJson({ goals }: Benchmark, figures: ReadonlyMap<string, Figures>, settings: Settings): string {
  const ratios = goals.map((goal) => ({ ...goal, ratio: ratioOf(goal, figures) }));
  const machine = { node: process.version, cpus: os.cpus().length, model: os.cpus()[0]?.model };
  return `${JSON.stringify({ machine, settings, figures: Object.fromEntries(figures), ratios }, null, 2)}\n`;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
