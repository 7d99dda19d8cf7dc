import { Home } from '../../storage/index.ts';
import { readLines } from '../../telemetry/journal/reading/index.ts';
import { itemsOf, parseLine, timeOf } from '../../telemetry/otlp/read/index.ts';
import type { OtlpItem } from '../../telemetry/otlp/read/index.ts';
import { SIGNALS } from '../../telemetry/semconv.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { CommandContext, Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { pause } from '../frame/pause.ts';
import { counted } from '../frame/quantities.ts';
import { itemDocument, itemLine } from './item-line.ts';
import { journalSources } from './sources.ts';
import type { Source } from './sources.ts';

/** What `keelson telemetry tail` takes. */
export interface TailInput {
  readonly home: string | undefined;
  readonly signal: Signal | undefined;
  readonly follow: boolean;
  readonly lines: number;
}

/** How often to look for what is new. Polled, since notices of the file system do not cross containers and network drives. */
export const POLL_MS = 500;

interface Timed {
  readonly at: number;
  readonly item: OtlpItem;
}

/** How far each file was read, by its inode: a segment that another process adopts gets a new name. */
type Positions = Map<string, number>;

/** `keelson telemetry tail`. */
export const tail: Run<TailInput> = async (context, { home: named, signal: only, follow, lines }) => {
  const home = new Home({ path: named, env: context.env, cwd: context.cwd }).path;
  const signals = only === undefined ? SIGNALS : [only];
  const positions: Positions = new Map();
  let damaged = 0;
  const onDamage = (): void => {
    damaged += 1;
  };
  const newest: (readonly Timed[])[] = [];
  for (const signal of signals) newest.push(await lastItems(home, signal, lines, positions, onDamage));
  const shown = shares(newest, lines);
  await print(context, shown);
  if (shown.length === 0 && lines > 0) await context.output.note(`Nothing is there yet in ${home}.`);
  while (follow && !context.signal.aborted) {
    await pause(context.clock, POLL_MS, context.signal);
    const fresh: Timed[] = [];
    for (const signal of signals) {
      for (const source of journalSources(home, signal)) {
        if (source.segment?.kind === 'archive') continue;
        fresh.push(...(await readNew(source, positions, onDamage)));
      }
    }
    await print(context, fresh.toSorted(byTime));
  }
  if (damaged > 0) {
    await context.output.note(
      `${counted(damaged, 'line')} could not be read; keelson telemetry verify says which.`,
    );
  }
  return EXIT.ok;
};

function byTime(a: Timed, b: Timed): number {
  return a.at - b.at;
}

/** The newest items, of each signal as many as of the others while it has them: one batch of metrics would leave room for nothing else. */
function shares(bySignal: readonly (readonly Timed[])[], lines: number): readonly Timed[] {
  const kept = bySignal
    .flatMap((items) => items.map((timed, index) => ({ timed, rank: items.length - index })))
    .toSorted((a, b) => a.rank - b.rank || byTime(b.timed, a.timed))
    .slice(0, lines);
  return kept.toSorted((a, b) => byTime(a.timed, b.timed) || b.rank - a.rank).map(({ timed }) => timed);
}

/** The newest items of one signal, from as few files as will do; notes how far every file was read. */
async function lastItems(
  home: string,
  signal: Signal,
  wanted: number,
  positions: Positions,
  onDamage: () => void,
): Promise<readonly Timed[]> {
  let found: Timed[] = [];
  for (const source of journalSources(home, signal).toReversed()) {
    const enough = found.length >= wanted && (found[0]?.at ?? Number.POSITIVE_INFINITY) >= source.changedAt;
    if (enough || wanted === 0) {
      positions.set(source.inode, source.size);
      continue;
    }
    const kept: Timed[] = [];
    for await (const timed of readItems(source, 0, positions, onDamage)) {
      kept.push(timed);
      // Cut now and then, not at each item.
      if (kept.length >= 2 * wanted + 1_000) kept.splice(0, kept.length - wanted);
    }
    found = [...found, ...kept].toSorted(byTime).slice(-wanted);
  }
  return found;
}

async function readNew(
  source: Source,
  positions: Positions,
  onDamage: () => void,
): Promise<readonly Timed[]> {
  const before = positions.get(source.inode) ?? 0;
  if (source.size === before) return [];
  // Cut off: the writer took back a line that it could not finish.
  if (source.size < before) positions.set(source.inode, source.size);
  const fresh: Timed[] = [];
  for await (const timed of readItems(source, Math.min(before, source.size), positions, onDamage))
    fresh.push(timed);
  return fresh;
}

async function* readItems(
  source: Source,
  from: number,
  positions: Positions,
  onDamage: () => void,
): AsyncGenerator<Timed> {
  for await (const line of readLines(source.path, from)) {
    // An unfinished line is read again when it is finished; a file that is gone was archived or evicted.
    if (line.kind !== 'line') return;
    positions.set(source.inode, line.to);
    const parsed = parseLine(line.bytes, true);
    if (parsed.signal === undefined) {
      onDamage();
      continue;
    }
    for (const item of itemsOf(parsed.signal, parsed.body)) {
      yield { at: timeOf(item.point ?? item.entry) ?? source.begunAt, item };
    }
  }
}

async function print({ output, signal }: CommandContext, items: readonly Timed[]): Promise<void> {
  for (const { item } of items) {
    if (signal.aborted) return;
    await output.line(output.json ? JSON.stringify(itemDocument(item)) : itemLine(item, output));
  }
}
