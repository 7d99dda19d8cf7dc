import { SeverityNumber } from '@opentelemetry/api';
import type { Attributes, Context, Logger as OtelLogger } from '@opentelemetry/api';
import type { LogLevel } from '../options.ts';
import type { PlainRecord } from '../redaction/index.ts';

/** The severity of each winston level. Source: the winston transport of opentelemetry-js-contrib. */
const SEVERITY: Readonly<Record<LogLevel, SeverityNumber>> = {
  error: SeverityNumber.ERROR,
  warn: SeverityNumber.WARN,
  info: SeverityNumber.INFO,
  http: SeverityNumber.DEBUG3,
  verbose: SeverityNumber.DEBUG2,
  debug: SeverityNumber.DEBUG,
  silly: SeverityNumber.TRACE,
};

/** One line of the logger, redacted and with its context. */
export interface LogEntry {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  /** Further fields, redacted. */
  readonly fields: PlainRecord;
  /** The context of the call that logged. */
  readonly context: Context;
}

/**
 * Emits a line of the logger as a log record. The published winston transport (0.34) speaks to the API before 1.10, and loses every record without an
 * error.
 * @param logger returns the logger of the provider that is in force
 * @param entry the line; the record has the trace of its context, not of the current one
 */
export function emitLog(logger: () => OtelLogger, entry: LogEntry): void {
  const attributes: Attributes = {};
  for (const [key, value] of Object.entries(entry.fields)) attributes[key] = value;
  logger().emit({
    timestamp: entry.time,
    severityNumber: SEVERITY[entry.level],
    severityText: entry.level,
    body: entry.message,
    attributes,
    context: entry.context,
  });
}
