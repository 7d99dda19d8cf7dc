import { logs, SeverityNumber } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_TYPE } from '../../signals/semconv.ts';
import { Redactor } from '../redaction/index.ts';
import { ATTR_EXCEPTION_STACKTRACE, EVENT_EXCEPTION, PROCESS_SCOPE_NAME } from '../semconv.ts';
import type { Telemetry } from '../telemetry.ts';

/** The part of `process` that {@link watchUncaughtExceptions} uses. */
export type FailingProcess = Pick<
  NodeJS.Process,
  'on' | 'listenerCount' | 'hasUncaughtExceptionCaptureCallback'
>;

/** `exception.*` of whatever was thrown, without secrets; what cannot be read is left out. */
function exceptionAttributes(thrown: unknown, redactor: Redactor): Attributes {
  const attributes: Attributes = {};
  const set = (key: string, read: () => unknown): void => {
    try {
      const value = read();
      if (typeof value === 'string' && value !== '') attributes[key] = redactor.text(value);
    } catch {
      // A getter or a proxy of the application's that throws.
    }
  };
  const field = (name: string): unknown =>
    typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
  set(ATTR_EXCEPTION_TYPE, () => field('name') ?? (thrown === null ? 'null' : typeof thrown));
  set(ATTR_EXCEPTION_MESSAGE, () => {
    const message = field('message');
    if (message !== undefined || typeof thrown === 'function') return message;
    const plain = redactor.value(thrown);
    return typeof plain === 'string' ? plain : JSON.stringify(plain);
  });
  set(ATTR_EXCEPTION_STACKTRACE, () => field('stack'));
  return attributes;
}

/**
 * Emits a log record for each exception that nobody caught and each rejection that Node treats as one, in the context in which it was thrown. Watches only:
 * message, exit code and the application's own listeners stay as they are. Event name and severity follow the semantic conventions for exceptions in logs:
 * FATAL where it ends the process, ERROR where a listener of the application's takes it.
 * @param telemetry is flushed at once: Node calls no `exit` listener where that listener throws in turn
 */
export function watchUncaughtExceptions(
  telemetry: Pick<Telemetry, 'forceFlush'>,
  host: FailingProcess,
): void {
  const redactor = new Redactor();
  host.on('uncaughtExceptionMonitor', (thrown: unknown, origin) => {
    try {
      const survives =
        host.listenerCount('uncaughtException') > 0 || host.hasUncaughtExceptionCaptureCallback();
      logs.getLogger(PROCESS_SCOPE_NAME).emit({
        eventName: EVENT_EXCEPTION,
        severityNumber: survives ? SeverityNumber.ERROR : SeverityNumber.FATAL,
        severityText: survives ? 'error' : 'fatal',
        body: origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception',
        attributes: exceptionAttributes(thrown, redactor),
      });
      void telemetry.forceFlush(1);
    } catch {
      // Whatever happens here must not take the place of the application's own exception.
    }
  });
}
