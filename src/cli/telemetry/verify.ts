import { existsSync } from 'node:fs';
import { systemProcesses } from '../../host/owners/index.ts';
import { Home } from '../../storage/index.ts';
import { readLines } from '../../telemetry/journal/reading/index.ts';
import { countOf, parseLine, shapeProblems } from '../../telemetry/otlp/read/index.ts';
import { SIGNALS } from '../../telemetry/semconv.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { CommandContext, Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { printable } from '../frame/printable.ts';
import { counted, formatBytes } from '../frame/quantities.ts';
import { findSources, isLive } from './sources.ts';
import type { Source } from './sources.ts';

/** What `keelson telemetry verify` takes. */
export interface VerifyInput {
  /** None for the home. */
  readonly paths: readonly string[];
}

/** Something wrong at a place. */
interface Problem {
  readonly file: string;
  readonly line: number;
  readonly problem: string;
}

/** What was looked at, and found. */
interface Report {
  files: number;
  bytes: number;
  lines: number;
  readonly items: Record<Signal, number>;
  problemCount: number;
  /** The first of them. */
  readonly problems: Problem[];
  /** Last lines that a living process is still writing. */
  readonly unfinished: { readonly file: string; readonly bytes: number }[];
  /** Files of a journal that are not the journal's. */
  readonly foreign: readonly string[];
}

/** With `--json` the document holds so many problems; all are counted. */
const MAX_LISTED = 1_000;

/** `keelson telemetry verify`. */
export const verify: Run<VerifyInput> = async (context, { paths: named }) => {
  const { output, progress, signal } = context;
  const paths = named.length > 0 ? named : await ownHome(context);
  const { sources, foreign } = findSources(paths, context.cwd);
  const report: Report = {
    files: 0,
    bytes: 0,
    lines: 0,
    items: { traces: 0, metrics: 0, logs: 0 },
    problemCount: 0,
    problems: [],
    unfinished: [],
    foreign,
  };
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  for (const source of sources) {
    if (signal.aborted) break;
    await verifyFile(context, source, report, total);
    report.files += 1;
    report.bytes += source.size;
  }
  await progress.end();
  const { problems, ...rest } = report;
  await output.answer({ ...rest, complete: !signal.aborted, problems }, () =>
    summaryLines(report, signal.aborted),
  );
  return report.problemCount > 0 ? EXIT.unwell : EXIT.ok;
};

/** The home, where there is one. */
async function ownHome({ env, cwd, output }: CommandContext): Promise<readonly string[]> {
  const home = new Home({ env, cwd }).path;
  if (existsSync(home)) return [home];
  await output.note(`${home} does not exist: nothing was written there yet.`);
  return [];
}

async function verifyFile(
  { output, progress, clock, signal }: CommandContext,
  source: Source,
  report: Report,
  total: number,
): Promise<void> {
  let expected = source.signal;
  const tell = async (line: number, problem: string): Promise<void> => {
    report.problemCount += 1;
    if (output.json) {
      if (report.problems.length < MAX_LISTED) report.problems.push({ file: source.path, line, problem });
      return;
    }
    await progress.end();
    await output.line(printable(`${source.path}:${line}: ${problem}`));
  };
  for await (const read of readLines(source.path)) {
    if (signal.aborted) return;
    if (read.kind === 'broken') {
      await tell(read.number, read.problem);
      return;
    }
    if (read.kind === 'tail' && isLive(source, systemProcesses, clock.epoch())) {
      report.unfinished.push({ file: source.path, bytes: read.bytes.byteLength });
      return;
    }
    if (read.kind === 'tail') await tell(read.number, 'it has no line break: it was not written to its end');
    report.lines += 1;
    const parsed = parseLine(read.bytes);
    if (parsed.signal === undefined) {
      await tell(read.number, parsed.problem);
      continue;
    }
    expected ??= parsed.signal;
    if (parsed.signal !== expected) {
      await tell(read.number, `it holds ${parsed.signal} in a file of ${expected}`);
    }
    report.items[parsed.signal] += countOf(parsed.signal, parsed.body);
    for (const problem of shapeProblems(parsed.signal, parsed.body)) await tell(read.number, problem);
    if (read.kind === 'line') {
      await progress.show(
        () =>
          `verify: ${formatBytes(report.bytes + read.read)} of ${formatBytes(total)}, ${counted(report.problemCount, 'problem')}`,
      );
    }
  }
}

function summaryLines(report: Report, aborted: boolean): readonly string[] {
  const items = SIGNALS.filter((signal) => report.items[signal] > 0).map(
    (signal) => `${report.items[signal]} of ${signal}`,
  );
  return [
    ...report.unfinished.map(
      ({ file, bytes }) => `${printable(file)}: ${bytes} bytes after the last line are still being written`,
    ),
    ...report.foreign.map((file) => `${printable(file)}: not the journal's, not read`),
    ...(aborted ? ['Not all of it was read.'] : []),
    `${counted(report.files, 'file')}, ${formatBytes(report.bytes)}, ${counted(report.lines, 'line')}, ` +
      `items: ${items.length === 0 ? 'none' : items.join(', ')}; ${counted(report.problemCount, 'problem')}`,
  ];
}
