import type { SendResult } from '../otlp/http/index.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';

/** The parts of a warning about a receiver that do not depend on what happened. */
export interface AwayParts {
  readonly warn: Warn;
  readonly signal: Signal;
  /** The endpoint without secrets. */
  readonly target: string;
  /** Whether batches wait on disk; otherwise they wait in memory. */
  readonly onDisk: boolean;
}

/** Too many requests, and service unavailable: the receiver is there. */
const OVERLOADED: ReadonlySet<number> = new Set([429, 503]);

/** Warns once for each cause (no connection, no answer, each status) that batches wait, where they wait, and what to do. */
export function warnAway(
  { warn, signal, target, onDisk }: AwayParts,
  { reason, detail, code }: Extract<SendResult, { status: 'later' }>,
): void {
  const where = onDisk
    ? 'on disk, in telemetry/ below KEELSON_HOME or ./.keelson (512 MiB, 7 days)'
    : 'in memory, up to 8 MiB for each signal';
  const kept = `Calls go on; telemetry waits ${where}, and what does not fit is counted in keelson.telemetry.dropped.`;
  const kind = `otlp:${reason}:${code ?? ''}:${target}`;
  if (reason === 'refused') {
    warn(
      kind,
      `OTLP at ${target} does not take ${signal} (${detail}). ${kept} Check what listens there: the address (OTEL_EXPORTER_OTLP_ENDPOINT), ` +
        `the headers (OTEL_EXPORTER_OTLP_HEADERS); or set OTEL_${signal.toUpperCase()}_EXPORTER=none.`,
    );
    return;
  }
  if (code !== undefined && OVERLOADED.has(code)) {
    warn(
      kind,
      `OTLP at ${target} is overloaded or asks to wait (${detail}). ${kept} Give the receiver more memory, or look what stands behind it.`,
    );
    return;
  }
  warn(
    kind,
    `OTLP at ${target} is away (${detail}). ${kept} Start a receiver there, or set OTEL_EXPORTER_OTLP_ENDPOINT.`,
  );
}
