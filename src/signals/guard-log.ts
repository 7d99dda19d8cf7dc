import type { AttributeValue, Logger, LoggerProvider } from '@opentelemetry/api';
import { logs, SeverityNumber } from '@opentelemetry/api';
import type { GuardEvent } from '../core/events.ts';
import { redactText } from '../core/secret-text.ts';
import { errorMessage, failureReason, errorType } from './error-type.ts';
import * as semconv from './semconv.ts';

/** Writes what operators want to read about as log records, in the context of the call that caused it. */
export class GuardLog {
  readonly #provider: LoggerProvider | undefined;
  #boundTo: LoggerProvider | undefined;
  #logger: Logger | undefined;

  /** @param provider the provider to use in place of the global one */
  constructor(provider?: LoggerProvider) {
    this.#provider = provider;
  }

  /** State changes are always told; a call that failed for good is told once, however many attempts it had. */
  write(event: GuardEvent): void {
    if (event.type === 'breaker.transition') this.#writeTransition(event);
    else if (event.type === 'signal.ignored') this.#writeIgnored(event);
    else if (event.type === 'mistake.hidden') this.#writeMistake(event);
    else if (event.type === 'call.settled') this.#writeSettled(event);
  }

  #writeTransition(event: Extract<GuardEvent, { type: 'breaker.transition' }>): void {
    this.#emit(
      semconv.EVENT_BREAKER_TRANSITION,
      event,
      `The circuit breaker of ${event.guard} is ${event.to}${event.error === undefined ? '' : `: ${failureReason(event.error)}`}.`,
      {
        [semconv.ATTR_BREAKER_FROM]: event.from,
        [semconv.ATTR_BREAKER_TO]: event.to,
        ...(event.error === undefined ? {} : { [semconv.ATTR_ERROR_TYPE]: errorType(event.error) }),
      },
    );
  }

  #writeIgnored(event: GuardEvent): void {
    const body = `${event.guard} ${event.operation} never asked for its signal: its work went on after the call had ended.`;
    this.#emit(semconv.EVENT_SIGNAL_IGNORED, event, body, {});
  }

  #writeMistake(event: Extract<GuardEvent, { type: 'mistake.hidden' }>): void {
    const { guard, operation, error } = event;
    const body = `${guard} ${operation} threw what is probably a mistake of the program, and another value stood in for it.`;
    this.#emit(semconv.EVENT_MISTAKE_HIDDEN, event, body, {
      [semconv.ATTR_ERROR_TYPE]: errorType(error),
      [semconv.ATTR_EXCEPTION_TYPE]: error.name,
      [semconv.ATTR_EXCEPTION_MESSAGE]: redactText(error.message),
      [semconv.ATTR_EXCEPTION_STACKTRACE]: redactText(error.stack ?? ''),
    });
  }

  #writeSettled(event: Extract<GuardEvent, { type: 'call.settled' }>): void {
    const { guard, outcome, attempts, error } = event;
    if (outcome !== 'failure' && outcome !== 'timeout') return;
    const body = `A call of ${guard} failed after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${failureReason(error)}.`;
    this.#emit(semconv.EVENT_CALL_FAILED, event, body, {
      [semconv.ATTR_OUTCOME]: outcome,
      [semconv.ATTR_ATTEMPTS]: attempts,
      [semconv.ATTR_ERROR_TYPE]: errorType(error),
      [semconv.ATTR_EXCEPTION_TYPE]: error instanceof Error ? errorType(error) : typeof error,
      [semconv.ATTR_EXCEPTION_MESSAGE]: errorMessage(error),
    });
  }

  #emit(
    eventName: string,
    event: GuardEvent,
    body: string,
    attributes: Record<string, AttributeValue>,
  ): void {
    const isGood = event.type === 'breaker.transition' && event.to === 'closed';
    this.#currentLogger().emit({
      eventName,
      body,
      severityNumber: isGood ? SeverityNumber.INFO : SeverityNumber.WARN,
      severityText: isGood ? 'INFO' : 'WARN',
      attributes: {
        [semconv.ATTR_GUARD_NAME]: event.guard,
        ...(event.operation === undefined ? {} : { [semconv.ATTR_OPERATION_NAME]: event.operation }),
        ...(event.requestId === undefined ? {} : { [semconv.ATTR_REQUEST_ID]: event.requestId }),
        ...attributes,
      },
    });
  }

  #currentLogger(): Logger {
    const provider = this.#provider ?? logs.getLoggerProvider();
    if (provider !== this.#boundTo || !this.#logger) {
      this.#boundTo = provider;
      this.#logger = provider.getLogger(semconv.SCOPE_NAME);
    }
    return this.#logger;
  }
}
