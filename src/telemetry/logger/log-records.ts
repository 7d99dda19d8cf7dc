import { SeverityNumber } from '@opentelemetry/api';
import type { Attributes, Context, Logger as OtelLogger } from '@opentelemetry/api';

import type { LogLevel } from '../options.ts';
import type { PlainRecord } from '../redaction/index.ts';

/** Severities of winston's levels, as opentelemetry-js-contrib's transport has them. */
const SEVERITY: Readonly<Record<LogLevel, SeverityNumber>> = {
  error: SeverityNumber.ERROR,
  warn: SeverityNumber.WARN,
  info: SeverityNumber.INFO,
  http: SeverityNumber.DEBUG3,
  verbose: SeverityNumber.DEBUG2,
  debug: SeverityNumber.DEBUG,
  silly: SeverityNumber.TRACE,
};

/** One line of the logger, on its way to the transports. */
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
 * Hands a line to OpenTelemetry's logs API. It is our own because the published winston transport (0.34) speaks to the API before 1.10 and loses
 * every record without an error.
 * @param logger gives the logger of the provider that is in force
 * @param entry the line; its context, not the one of the moment, gives the trace
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
