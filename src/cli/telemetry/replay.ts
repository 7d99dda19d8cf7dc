import { ConfigError } from '../../core/errors.ts';
import { formatDuration } from '../../core/time/duration.ts';
import { systemProcesses } from '../../host/owners/index.ts';
import { readOtlp, VariableReader } from '../../telemetry/environment/index.ts';
import { readLines } from '../../telemetry/journal/reading/index.ts';
import type { Ranges, ReadLine } from '../../telemetry/journal/reading/index.ts';
import { HttpTransport, shownUrl, signalUrl } from '../../telemetry/otlp/http/index.ts';
import type { OtlpTransport } from '../../telemetry/otlp/http/index.ts';
import { itemsOf, parseLine, timeOf, withItems } from '../../telemetry/otlp/read/index.ts';
import type { JsonObject } from '../../telemetry/otlp/read/index.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { CommandContext, Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import { formatBytes } from '../frame/quantities.ts';
import type { Rate } from '../frame/value-types.ts';
import { hasFailed, listed, reportLines, sentItems } from './replay-report.ts';
import type { ReplayReport, SignalReport } from './replay-report.ts';
import { ReplaySender } from './replay-sender.ts';
import type { SendReport } from './replay-sender.ts';
import { findSources, isLive, whereNow } from './sources.ts';
import type { Source } from './sources.ts';
import { deliveredOf, isDelivered, selectUndelivered } from './undelivered.ts';

/** What `keelson telemetry replay` takes. */
export interface ReplayInput {
  readonly paths: readonly string[];
  readonly to: URL;
  readonly signal: Signal | undefined;
  /** Milliseconds since 1970; items of that time are sent. */
  readonly since: number | undefined;
  /** Milliseconds since 1970; items of that time are not. */
  readonly until: number | undefined;
  readonly rate: Rate | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly gzip: boolean;
  /** Milliseconds. */
  readonly wait: number;
  readonly dryRun: boolean;
  /** Leaves out what cursors call delivered. */
  readonly undelivered: boolean;
}

const STOPPED = 'Sent is what stands before it.';
const WAIT = '--wait is how long a receiver that is away is waited for.';
const GO_ON = `${STOPPED} To go on, name this file and the newer ones; ${WAIT}`;
const RUN_AGAIN = `${STOPPED} To go on, run it again: the home does not note what a replay sent, so that it arrives twice; ${WAIT}`;

/** `keelson telemetry replay`. */
export const replay: Run<ReplayInput> = async (context, input) => {
  const { output, progress, clock, signal } = context;
  checkWindow(input);
  const { sources: found, foreign, leftOut } = findSources(input.paths, context.cwd);
  const { sources, delivered } = input.undelivered
    ? selectUndelivered(found)
    : { sources: found, delivered: undefined };
  const transports = await connect(context, input);
  const closeAll = (): void => {
    for (const transport of Object.values(transports)) transport.close();
  };
  signal.addEventListener('abort', closeAll, { once: true });
  const run = new Replay(context, input, transports, { foreign, leftOut, delivered });
  const startedAt = clock.now();
  try {
    await run.all(sources);
  } finally {
    signal.removeEventListener('abort', closeAll);
    closeAll();
    await progress.end();
  }
  const { report } = run;
  report.seconds = (clock.now() - startedAt) / 1_000;
  await output.answer(report, () => reportLines(report, output));
  return hasFailed(report) ? EXIT.unwell : EXIT.ok;
};

/** @throws {ConfigError} where no time is in the window: nothing would be sent, and all would look well */
function checkWindow({ since, until }: ReplayInput): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new ConfigError('keelson telemetry replay', [
    `Expected \`--since\` to be before \`--until\`, got ${new Date(since).toISOString()} and ${new Date(until).toISOString()}. A duration such as 2h is so long before now.`,
  ]);
}

async function connect(
  { env, clock, output }: CommandContext,
  { to, headers, gzip }: ReplayInput,
): Promise<Record<Signal, OtlpTransport>> {
  const warnings = new Set<string>();
  const warn = (_kind: string, message: string): void => {
    warnings.add(message);
  };
  const read = new VariableReader(env, warn);
  const transportFor = (signal: Signal): OtlpTransport => {
    const settings = readOtlp(read, signal, warn);
    return new HttpTransport(
      {
        ...settings,
        url: signalUrl(to.href, signal),
        headers: { ...settings.headers, ...Object.fromEntries(headers) },
        compression: gzip ? 'gzip' : settings.compression,
      },
      clock,
    );
  };
  const transports = {
    traces: transportFor('traces'),
    metrics: transportFor('metrics'),
    logs: transportFor('logs'),
  };
  for (const warning of warnings) await output.note(warning);
  return transports;
}

const none = (): SignalReport => ({ requests: 0, sent: 0, refused: 0, rejected: 0, skipped: 0 });

/** One replay, line by line. */
class Replay {
  readonly report: ReplayReport;
  readonly #context: CommandContext;
  readonly #input: ReplayInput;
  readonly #sender: ReplaySender;
  readonly #startedAt: number;
  readonly #interrupted: NonNullable<SendReport['stopped']>;
  #totalBytes = 0;
  /** Of the files before the current one. */
  #readBytes = 0;
  #readOfFile = 0;
  #waiting: string | undefined;

  constructor(
    context: CommandContext,
    input: ReplayInput,
    transports: Record<Signal, OtlpTransport>,
    found: Pick<ReplayReport, 'foreign' | 'leftOut' | 'delivered'>,
  ) {
    this.#context = context;
    this.#input = input;
    this.#startedAt = context.clock.now();
    const goOn = input.undelivered ? RUN_AGAIN : GO_ON;
    this.#interrupted = { reason: 'interrupted', remedy: goOn };
    this.#sender = new ReplaySender({
      context,
      transports,
      rate: input.rate,
      waitMs: input.wait,
      goOn,
      onWait: (why) => {
        this.#waiting = why;
        void this.#showProgress();
      },
    });
    this.report = {
      to: shownUrl(input.to.href),
      dryRun: input.dryRun,
      files: 0,
      lines: 0,
      bytes: 0,
      signals: { traces: none(), metrics: none(), logs: none() },
      rejectedCount: 0,
      rejected: [],
      damagedCount: 0,
      damaged: [],
      partialAnswer: undefined,
      oddAnswer: undefined,
      unfinished: [],
      live: [],
      unreadable: [],
      stopped: undefined,
      seconds: 0,
      ...found,
    };
  }

  async all(sources: readonly Source[]): Promise<void> {
    this.#totalBytes = sources.reduce((sum, { size }) => sum + size, 0);
    for (const source of sources) {
      await this.#file(whereNow(source));
      if (this.report.stopped) return;
      this.report.files += 1;
      this.#readBytes += source.size;
      this.#readOfFile = 0;
    }
  }

  async #file(source: Source): Promise<void> {
    const { signal, clock } = this.#context;
    const delivered = this.#deliveredOf(source);
    for await (const read of readLines(source.path)) {
      if (signal.aborted) this.#stop(source, read, this.#interrupted);
      if (this.report.stopped) return;
      if (read.kind === 'line' && isDelivered(delivered, read.bytes, read.to)) continue;
      if (read.kind === 'broken') this.#damaged(source, read, read.problem);
      else if (read.kind === 'tail' && isLive(source, systemProcesses, clock.epoch())) {
        this.report.unfinished.push(source.path);
      } else await this.#line(source, read);
      if (read.kind !== 'line') continue;
      this.#readOfFile = read.read;
      await this.#showProgress();
    }
  }

  /** What of a file is not to be sent. */
  #deliveredOf(source: Source): Ranges {
    if (!this.#input.undelivered) return [];
    const { ranges, unreadable } = deliveredOf(source);
    if (unreadable !== undefined && !this.report.unreadable.includes(unreadable))
      this.report.unreadable.push(unreadable);
    if (isLive(source, systemProcesses, this.#context.clock.epoch())) this.report.live.push(source.path);
    return ranges;
  }

  async #line(source: Source, read: Exclude<ReadLine, { kind: 'broken' }>): Promise<void> {
    const { report } = this;
    const parsed = parseLine(read.bytes);
    if (parsed.signal === undefined) {
      const unfinished = read.kind === 'tail' ? '; it was not written to its end' : '';
      this.#damaged(source, read, `${parsed.problem}${unfinished}`);
      return;
    }
    report.lines += 1;
    const { signal } = parsed;
    const totals = report.signals[signal];
    const { body, items, skipped } = this.#select(signal, parsed.body, read.bytes);
    totals.skipped += skipped;
    if (body === undefined) return;
    if (this.#input.dryRun) {
      totals.requests += 1;
      totals.sent += items;
      report.bytes += body.byteLength;
      return;
    }
    const sent = await this.#sender.send(signal, { body, items });
    totals.requests += sent.requests;
    totals.sent += sent.sent;
    if (sent.sent > 0) report.bytes += body.byteLength;
    totals.refused += sent.refused;
    report.partialAnswer = sent.partialAnswer ?? report.partialAnswer;
    report.oddAnswer = sent.oddAnswer ?? report.oddAnswer;
    for (const rejected of sent.rejected) {
      totals.rejected += rejected.items;
      report.rejectedCount += 1;
      listed(report.rejected, { file: source.path, line: read.number, ...rejected });
    }
    if (sent.stopped !== undefined)
      this.#stop(source, read, this.#context.signal.aborted ? this.#interrupted : sent.stopped);
  }

  /** What of a line is to be sent. A line of which all is sent goes out byte for byte. */
  #select(
    signal: Signal,
    body: JsonObject,
    bytes: Uint8Array,
  ): { readonly body: Uint8Array | undefined; readonly items: number; readonly skipped: number } {
    const wanted = this.#input.signal === undefined || this.#input.signal === signal;
    let items = 0;
    let skipped = 0;
    for (const { entry, point } of itemsOf(signal, body)) {
      if (wanted && this.#isInTime(point ?? entry)) items += 1;
      else skipped += 1;
    }
    if (!wanted || (items === 0 && skipped > 0)) return { body: undefined, items, skipped };
    if (skipped === 0) return { body: bytes, items, skipped };
    // Parsed again, so that integers beyond 2^53 stay what they are.
    const exact = parseLine(bytes, true);
    const kept = exact.signal && withItems(signal, exact.body, (item) => this.#isInTime(item));
    return { body: Buffer.from(JSON.stringify(kept)), items, skipped };
  }

  /** An item that names no time is sent. */
  #isInTime(item: JsonObject): boolean {
    const { since, until } = this.#input;
    if (since === undefined && until === undefined) return true;
    const time = timeOf(item);
    return (
      time === undefined ||
      (time >= (since ?? Number.NEGATIVE_INFINITY) && time < (until ?? Number.POSITIVE_INFINITY))
    );
  }

  #damaged({ path }: Source, { number }: ReadLine, problem: string): void {
    this.report.damagedCount += 1;
    listed(this.report.damaged, { file: path, line: number, problem });
  }

  #stop({ path }: Source, { number }: ReadLine, why: NonNullable<SendReport['stopped']>): void {
    this.report.stopped ??= { file: path, line: number, ...why };
  }

  async #showProgress(): Promise<void> {
    const { progress, clock } = this.#context;
    await progress.show(() => {
      const done = this.#readBytes + this.#readOfFile;
      const share = this.#totalBytes > 0 ? done / this.#totalBytes : 1;
      const seconds = (clock.now() - this.#startedAt) / 1_000;
      const left = share > 0 ? formatDuration(Math.round((seconds / share) * (1 - share)) * 1_000) : '?';
      const sent = sentItems(this.report);
      const speed = seconds > 0 ? Math.round(sent / seconds) : 0;
      const state = this.#waiting === undefined ? `${left} left` : `waiting: ${this.#waiting}`;
      return `replay: ${formatBytes(done)} of ${formatBytes(this.#totalBytes)}, ${sent} items, ${speed}/s, ${state}`;
    });
  }
}
