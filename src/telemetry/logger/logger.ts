import { createRequire } from 'node:module';
import { Writable } from 'node:stream';
import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import type * as Winston from 'winston';
import type { Clock } from '../../core/time/clock.ts';
import { requestIdFrom } from '../../signals/index.ts';
import { ATTR_REQUEST_ID } from '../../signals/semconv.ts';
import { LOG_LEVELS } from '../options.ts';
import type { LogLevel } from '../options.ts';
import { readField, Redactor } from '../redaction/index.ts';
import type { PlainRecord, PlainValue } from '../redaction/index.ts';
import type { LogEntry } from './log-records.ts';

/** Where the lines of the logger go; what a sink throws is caught and counted. */
export interface LogSinks {
  /** Takes whole lines of JSON, without a line break. */
  readonly lines: readonly ((line: string) => void)[];
  /** Takes the line with the context of its call. */
  readonly entry: (entry: LogEntry) => void;
}

/** What {@link createLogger} takes. */
export interface CreateLoggerOptions {
  readonly level: LogLevel;
  readonly redact: readonly string[];
  readonly sinks: LogSinks;
  readonly clock: Clock;
}

/** A winston logger, and how often writing a line has failed. */
export interface CreatedLogger {
  readonly logger: Winston.Logger;
  readonly failures: () => number;
}

const ENTRY: unique symbol = Symbol('keelson.log.entry');
const LEVEL = Symbol.for('level');
const SPLAT = Symbol.for('splat');
const RESERVED: ReadonlySet<string> = new Set(['level', 'message', 'timestamp']);
const WITH_ERROR: ReadonlySet<string> = new Set([...RESERVED, 'stack', 'cause', 'name']);

const isLevel = (value: unknown): value is LogLevel => LOG_LEVELS.some((level) => level === value);

/** The error that a line is about: the line itself, or the first further argument. */
function errorOf(info: object): Error | undefined {
  if (info instanceof Error) return info;
  const splat: unknown = Reflect.get(info, SPLAT);
  const first: unknown = Array.isArray(splat) ? splat[0] : undefined;
  return first instanceof Error ? first : undefined;
}

function fieldsOf(info: object, redactor: Redactor): PlainRecord {
  const error = errorOf(info);
  const fields: Record<string, PlainValue> = { ...redactor.record(info, error ? WITH_ERROR : RESERVED) };
  if (error) {
    const name = readField(error, 'name');
    fields['exception.type'] = typeof name === 'string' ? redactor.text(name) : 'Error';
    fields['exception.message'] = redactor.value(readField(error, 'message')) ?? '';
    const stack = readField(error, 'stack');
    if (typeof stack === 'string') fields['exception.stacktrace'] = redactor.text(stack);
    const cause = redactor.value(readField(error, 'cause'));
    if (cause !== undefined) fields['cause'] = cause;
  }
  return fields;
}

function messageOf(info: object, redactor: Redactor): string {
  const message = readField(info, 'message');
  if (typeof message === 'string') return redactor.text(message);
  const plain = redactor.value(message);
  return typeof plain === 'string' ? plain : (JSON.stringify(plain) ?? '');
}

/** The trace and the request that a context belongs to, as fields of a line. */
function correlation(active: Context): Readonly<Record<string, string>> {
  const span = trace.getSpanContext(active);
  const requestId = requestIdFrom(active);
  return {
    ...(span &&
      isSpanContextValid(span) && {
        trace_id: span.traceId,
        span_id: span.spanId,
        trace_flags: span.traceFlags.toString(16).padStart(2, '0'),
      }),
    ...(requestId !== undefined && { [ATTR_REQUEST_ID]: requestId }),
  };
}

/**
 * Makes the winston logger. Each line is copied, redacted and given its trace at the moment of the call: winston's own stream may hand it to the
 * transports later, when another trace is active. A call of the logger never throws, whatever it is given and whatever is away.
 */
export function createLogger(options: CreateLoggerOptions): CreatedLogger {
  // Loaded when the first logger is made: 48 ms that a service without one does not pay.
  const winston: typeof Winston = createRequire(import.meta.url)('winston');
  const redactor = new Redactor(options.redact);
  let failures = 0;

  const guarded = <A>(sink: (argument: A) => void, argument: A): void => {
    try {
      sink(argument);
    } catch {
      failures += 1;
    }
  };

  const lineOf = (entry: LogEntry): string =>
    JSON.stringify({
      timestamp: new Date(entry.time).toISOString(),
      level: entry.level,
      message: entry.message,
      ...correlation(entry.context),
      ...entry.fields,
    });

  const deliver = (entry: LogEntry): void => {
    const line = lineOf(entry);
    for (const sink of options.sinks.lines) guarded(sink, line);
    const requestId = requestIdFrom(entry.context);
    guarded(
      options.sinks.entry,
      requestId === undefined
        ? entry
        : { ...entry, fields: { [ATTR_REQUEST_ID]: requestId, ...entry.fields } },
    );
  };

  const logger = winston.createLogger({
    levels: winston.config.npm.levels,
    level: options.level,
    exitOnError: false,
    format: winston.format((info) => info)(),
  });
  // An instrumentation of winston gives each logger a transport of its own; every line would arrive twice.
  logger.clear();
  logger.pipe(
    new Writable({
      objectMode: true,
      // Answers at once, so that winston's stream never fills up.
      write(info: object, _encoding, next) {
        guarded(deliver, Reflect.get(info, ENTRY));
        next();
      },
    }),
  );

  const entryOf = (info: object): LogEntry | undefined => {
    const level: unknown = Reflect.get(info, LEVEL) ?? Reflect.get(info, 'level');
    if (!isLevel(level) || !logger.isLevelEnabled(level)) return undefined;
    return {
      time: options.clock.epoch(),
      level,
      message: messageOf(info, redactor),
      fields: fieldsOf(info, redactor),
      context: context.active(),
    };
  };

  const write = logger.write.bind(logger);
  const writeGuarded = (info: unknown): boolean => {
    try {
      const entry = typeof info === 'object' && info !== null ? entryOf(info) : undefined;
      if (entry) write({ [LEVEL]: entry.level, level: entry.level, message: entry.message, [ENTRY]: entry });
    } catch {
      failures += 1;
    }
    return true;
  };
  const overrides: Record<string, (...values: unknown[]) => unknown> = { write: writeGuarded };
  // Winston writes into the objects that it is given, which throws where they are frozen.
  for (const name of ['log', ...LOG_LEVELS]) {
    const original: unknown = Reflect.get(logger, name);
    if (typeof original !== 'function') continue;
    overrides[name] = function guardedLevel(this: unknown, ...values) {
      try {
        Reflect.apply(original, this ?? logger, values);
      } catch {
        // Winston reads its further arguments without care: an error whose getter throws must not cost the line.
        const [level, message, ...splat] = name === 'log' ? values : [name, ...values];
        writeGuarded({ level, message, [SPLAT]: splat });
      }
      return this ?? logger;
    };
  }
  for (const [name, value] of Object.entries(overrides)) {
    Object.defineProperty(logger, name, { value, writable: true, configurable: true });
  }
  return { logger, failures: () => failures };
}
