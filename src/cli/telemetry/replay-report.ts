import { SIGNALS } from '../../telemetry/semconv.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { Output } from '../frame/output.ts';
import { printable } from '../frame/printable.ts';
import { counted, formatBytes } from '../frame/quantities.ts';
import { tableLines } from '../frame/table.ts';
import type { LeftOutAsDelivered } from './undelivered.ts';

/** A line of a file. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What became of one signal. Items are spans, log records and metric points. */
export interface SignalReport {
  requests: number;
  /** Items that the receiver took. */
  sent: number;
  /** Items of requests that were taken which the receiver refused (partial success). */
  refused: number;
  /** Items of requests that were refused for good. */
  rejected: number;
  /** Items outside of `--since`, `--until` and `--signal`. */
  skipped: number;
}

/** What a replay did. */
export interface ReplayReport {
  /** The receiver, without secrets. */
  readonly to: string;
  readonly dryRun: boolean;
  files: number;
  lines: number;
  /** What was sent, before compression: the lines of which the receiver took something. */
  bytes: number;
  readonly signals: Readonly<Record<Signal, SignalReport>>;
  rejectedCount: number;
  /** The first batches that were refused, each with the receiver's words. */
  readonly rejected: (Place & { readonly items: number; readonly status: number; readonly answer: string })[];
  damagedCount: number;
  /** The first lines that could not be sent. */
  readonly damaged: (Place & { readonly problem: string })[];
  /** What a receiver said about items that it refused. */
  partialAnswer: string | undefined;
  /** What a receiver answered that is no OTLP answer; what it was sent counts as taken. */
  oddAnswer: string | undefined;
  /** Last lines that a living process is still writing. */
  readonly unfinished: string[];
  /** Segments of living processes, which send them too. Only where what was delivered is left out. */
  readonly live: string[];
  /** Cursors that cannot be believed: what they covered was sent. */
  readonly unreadable: string[];
  /** What was left out since it was delivered; `undefined` where that was not asked for. */
  readonly delivered: LeftOutAsDelivered | undefined;
  readonly foreign: readonly string[];
  /** Folders of batches that were set aside, which were not named. */
  readonly leftOut: readonly string[];
  /** Where it stopped before the end, why, and what to do. */
  stopped: (Place & { readonly reason: string; readonly remedy: string }) | undefined;
  seconds: number;
}

const MAX_LISTED = 100;

/** Adds to a list as long as it is short; the count next to it says how many there are. */
export function listed<T>(list: T[], entry: T): void {
  if (list.length < MAX_LISTED) list.push(entry);
}

/** Items that were sent, or for a dry run would have been. */
export function sentItems(report: ReplayReport): number {
  return SIGNALS.reduce((sum, signal) => sum + report.signals[signal].sent, 0);
}

/** Whether a part of the work failed. */
export function hasFailed(report: ReplayReport): boolean {
  const refused = SIGNALS.some((signal) => report.signals[signal].refused > 0);
  return report.stopped !== undefined || report.damagedCount > 0 || report.rejectedCount > 0 || refused;
}

/** The report as a person reads it. */
export function reportLines(report: ReplayReport, output: Output): readonly string[] {
  const shown = SIGNALS.filter((signal) => Object.values(report.signals[signal]).some((count) => count > 0));
  const number = (key: keyof SignalReport) => ({
    title: key.toUpperCase(),
    align: 'right' as const,
    value: (signal: Signal) => String(report.signals[signal][key]),
  });
  const table = tableLines(
    [
      { title: 'SIGNAL', value: (signal: Signal) => signal },
      number('requests'),
      number('sent'),
      number('refused'),
      number('rejected'),
      number('skipped'),
    ],
    shown,
    (titles) => output.style('bold', titles),
  );
  const verb = report.dryRun ? 'Would send' : 'Sent';
  const speed = report.seconds > 0 ? `, ${Math.round(sentItems(report) / report.seconds)} items/s` : '';
  return [
    ...(shown.length > 0 ? [...table, ''] : []),
    ...problemLines(report, output),
    `${verb} ${counted(sentItems(report), 'item')}, ${formatBytes(report.bytes)}, to ${report.to}: ` +
      `${counted(report.lines, 'line')} of ${counted(report.files, 'file')} read in ${report.seconds.toFixed(1)} s${speed}.`,
  ];
}

function deliveredLines(delivered: LeftOutAsDelivered | undefined, note: string): readonly string[] {
  if (!delivered || (delivered.archives === 0 && delivered.bytes === 0)) return [];
  const { archives, bytes } = delivered;
  return [
    `${note} delivered already, not sent: ${formatBytes(bytes)} of segments, ${counted(archives, 'archive')}`,
  ];
}

function problemLines(report: ReplayReport, output: Output): readonly string[] {
  const { rejected, damaged, stopped } = report;
  const error = output.style('red', 'error:');
  const note = output.style('yellow', 'note:');
  const more = (all: number, some: readonly unknown[]): readonly string[] =>
    all > some.length ? [`${error} and ${all - some.length} more`] : [];
  const lines = [
    ...rejected.map(
      ({ file, line, items, status, answer }) =>
        `${error} ${printable(file)}:${line}: ${counted(items, 'item')} refused for good, HTTP ${status}: ${printable(answer)}`,
    ),
    ...more(report.rejectedCount, rejected),
    ...damaged.map(({ file, line, problem }) => `${error} ${printable(file)}:${line}: ${problem}`),
    ...more(report.damagedCount, damaged),
    ...(report.partialAnswer === undefined
      ? []
      : [`${error} the receiver refused items: ${printable(report.partialAnswer)}`]),
    ...(report.oddAnswer === undefined
      ? []
      : [
          `${note} the answers are none of OTLP's (${printable(report.oddAnswer)}): as OTLP asks, they count as taken; look whether it arrived`,
        ]),
    ...report.unfinished.map((file) => `${note} ${printable(file)}: its last line is still being written`),
    ...(report.live.length > 0
      ? [
          `${note} ${counted(report.live.length, 'segment')} of living processes: what these deliver themselves from now on arrives twice`,
        ]
      : []),
    ...report.unreadable.map(
      (file) =>
        `${note} ${printable(file)}: cannot be used; what it says of deliveries is not known, so all is sent`,
    ),
    ...deliveredLines(report.delivered, note),
    ...report.foreign.map((file) => `${note} ${printable(file)}: not the journal's, not sent`),
    ...report.leftOut.map(
      (folder) => `${note} ${printable(folder)}: not sent; name it to send what was set aside`,
    ),
    ...(stopped
      ? [
          `${error} stopped at ${printable(stopped.file)}:${stopped.line}: ${printable(stopped.reason)}.`,
          `  ${stopped.remedy}`,
        ]
      : []),
  ];
  return lines.length > 0 ? [...lines, ''] : [];
}
