import { systemRandom } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';
import { systemProcesses } from '../host/owners/index.ts';
import type { FilePort, Home } from '../storage/index.ts';
import type { BacklogStats, TelemetryCounts } from './counts.ts';
import { Delivery } from './delivery/delivery.ts';
import type { EnvironmentSettings } from './environment/index.ts';
import { Journal } from './journal/index.ts';
import type { SignalJournal } from './journal/index.ts';
import type { CheckedOptions, TelemetryOptions } from './options.ts';
import { HttpTransport, shownUrl, signalUrl } from './otlp/http/index.ts';
import type { OtlpSettings } from './otlp/http/index.ts';
import type { ExporterParts } from './sdk/journal-exporter.ts';
import type { Signal } from './semconv.ts';
import { writeQuietly } from './warnings/quiet-write.ts';
import type { Warn } from './warnings/warner.ts';

/** What {@link Pipelines} are made of. */
export interface PipelinesParts {
  readonly options: TelemetryOptions;
  readonly checked: CheckedOptions;
  readonly settings: EnvironmentSettings;
  readonly home: Home;
  readonly files: FilePort;
  readonly clock: Clock;
  readonly counts: TelemetryCounts;
  readonly warn: Warn;
}

/** Where the batches of every signal go: the journal, the deliveries that read it, and the console. */
export class Pipelines {
  readonly #parts: PipelinesParts;
  readonly #journal: Journal | undefined;
  #adopted = 0;
  readonly #signals = new Map<
    Signal,
    { readonly journal: SignalJournal | undefined; readonly delivery: Delivery | undefined }
  >();

  constructor(parts: PipelinesParts) {
    this.#parts = parts;
    const { options, settings, counts } = parts;
    counts.readBacklogFrom((signal) => this.#backlogOf(signal));
    if (!(options.files ?? settings.files)) return;
    this.#journal = new Journal({
      ...parts,
      random: systemRandom,
      processes: systemProcesses,
      onAdopted: (signal) => {
        this.#adopted += 1;
        this.#signals.get(signal)?.delivery?.wake();
      },
    });
  }

  /** Whether anything is written to disk. */
  get writes(): boolean {
    return this.#journal !== undefined;
  }

  /** What the exporter of a signal is made of; `undefined` where the signal goes nowhere. */
  exporter<T>(
    signal: Signal,
    encode: (batch: T) => Uint8Array,
    size: (batch: T) => number,
    writable: ExporterParts<T>['writable'],
  ): ExporterParts<T> | undefined {
    const { options, settings, counts, warn } = this.#parts;
    const exporters = settings.exporters[signal];
    // The options say where OTLP goes, as OTEL_EXPORTER_OTLP_ENDPOINT does; which signals go there is said by OTEL_<SIGNAL>_EXPORTER.
    const delivers = options.otlp !== false && exporters.includes('otlp');
    const journal = this.#journal?.open(signal, delivers);
    const delivery = delivers ? this.#delivery(signal, journal) : undefined;
    const console = exporters.includes('console')
      ? (line: string): void => writeQuietly(process.stdout, line)
      : undefined;
    this.#signals.set(signal, { journal, delivery });
    if (!journal && !delivery && !console) return undefined;
    return { signal, encode, size, writable, counts, warn, journal, delivery, console };
  }

  /** Starts what looks after the disk. */
  begin(): void {
    this.#journal?.begin();
  }

  /** Sends what waits; see {@link Delivery.flush}. */
  async flush(withinMs: number): Promise<void> {
    const deliveries = (): Promise<unknown> =>
      Promise.all(Array.from(this.#signals.values(), async ({ delivery }) => delivery?.flush(withinMs)));
    // A process that ends before its first look would leave the dead's telemetry to the next, which may be as short.
    const adopted = this.#adopted;
    await Promise.all([deliveries(), this.#journal?.firstLook()]);
    if (this.#adopted > adopted) await deliveries();
    this.#journal?.flush();
  }

  /** The process ends: saves what was delivered and lets go of the lock, synchronously; see {@link Journal.leave}. */
  leave(): void {
    this.#journal?.leave();
  }

  /** Ends: what is on disk waits for the next process. */
  close(): void {
    for (const { delivery } of this.#signals.values()) delivery?.close();
    this.#journal?.close();
  }

  #backlogOf(signal: Signal): BacklogStats {
    const { journal, delivery } = this.#signals.get(signal) ?? {};
    const onDisk = journal?.delivers === true ? journal.waiting : undefined;
    const inMemory = delivery?.unplaced;
    const oldestAt = Math.min(
      onDisk?.oldestAt ?? Number.POSITIVE_INFINITY,
      inMemory?.oldestAt ?? Number.POSITIVE_INFINITY,
    );
    const age = (this.#parts.clock.epoch() - oldestAt) / 1_000;
    return {
      items: (onDisk?.items ?? 0) + (inMemory?.items ?? 0),
      bytes: (onDisk?.bytes ?? 0) + (inMemory?.bytes ?? 0),
      oldestAge: Number.isFinite(age) ? Math.max(0, age) : 0,
    };
  }

  #delivery(signal: Signal, backlog: SignalJournal | undefined): Delivery {
    const { options, checked, settings, counts, clock, warn } = this.#parts;
    const fromEnv = settings.otlp[signal];
    const own = options.otlp === false ? undefined : options.otlp;
    const merged: OtlpSettings = {
      ...fromEnv,
      url: own?.endpoint === undefined ? fromEnv.url : signalUrl(own.endpoint, signal),
      headers: { ...fromEnv.headers, ...own?.headers },
      timeoutMs: checked.otlpTimeoutMs ?? fromEnv.timeoutMs,
    };
    return new Delivery({
      signal,
      transport: new HttpTransport(merged, clock),
      counts,
      clock,
      random: systemRandom,
      warn,
      // One receiver takes all signals: one warning for it.
      target: new URL(shownUrl(merged.url)).origin,
      backlog,
    });
  }
}
