import { backoffMs } from '../../telemetry/otlp/http/index.ts';
import type { OtlpTransport, SendResult } from '../../telemetry/otlp/http/index.ts';
import { splitRequest } from '../../telemetry/otlp/index.ts';
import type { RequestPart } from '../../telemetry/otlp/index.ts';
import { Redactor } from '../../telemetry/redaction/index.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { CommandContext } from '../frame/command.ts';
import { pause } from '../frame/pause.ts';
import type { Rate } from '../frame/value-types.ts';

/** What became of a batch. */
export interface SendReport {
  readonly requests: number;
  readonly sent: number;
  readonly refused: number;
  readonly partialAnswer: string | undefined;
  /** What answered, where a request was taken with an answer that is none of OTLP's. */
  readonly oddAnswer: string | undefined;
  /** Parts that were refused for good: the whole batch, or single items of one that was too large. */
  readonly rejected: readonly { readonly items: number; readonly status: number; readonly answer: string }[];
  /** Why nothing more can be sent, where that is so, and what to do. */
  readonly stopped: { readonly reason: string; readonly remedy: string } | undefined;
}

/** What a {@link ReplaySender} is made of. */
export interface ReplaySenderParts {
  readonly context: Pick<CommandContext, 'clock' | 'random' | 'signal'>;
  readonly transports: Readonly<Record<Signal, OtlpTransport>>;
  readonly rate: Rate | undefined;
  /** How long one batch waits for a receiver that is away, in milliseconds. */
  readonly waitMs: number;
  /** What to do where nothing more can be sent although the receiver is one. */
  readonly goOn: string;
  /** Told while it waits, and when that is over. */
  readonly onWait: (why: string | undefined) => void;
}

const NO_RECEIVER =
  'What listens there is no OTLP/HTTP receiver, or wants other headers: check --to, --header and OTEL_EXPORTER_OTLP_HEADERS.';

const NOTHING: SendReport = {
  requests: 0,
  sent: 0,
  refused: 0,
  partialAnswer: undefined,
  oddAnswer: undefined,
  rejected: [],
  stopped: undefined,
};
const MAX_ANSWER = 300;
const redactor = new Redactor();

/** Sends batches one after the other, at most at the rate, and waits for a receiver that is away. */
export class ReplaySender {
  readonly #parts: ReplaySenderParts;
  /** When the next batch may start, on the clock. */
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ReplaySenderParts) {
    this.#parts = parts;
  }

  /** @returns a promise that never rejects */
  async send(signal: Signal, part: RequestPart): Promise<SendReport> {
    await this.#takeTurn(part);
    const { result, requests } = await this.#deliver(signal, part.body);
    const report = { ...NOTHING, requests };
    switch (result.status) {
      case 'taken': {
        const refused = Math.min(result.refused, part.items);
        const partialAnswer = result.detail === undefined ? undefined : answerText(result.detail);
        return { ...report, sent: part.items - refused, refused, partialAnswer, oddAnswer: result.odd };
      }
      case 'rejected':
        return { ...report, rejected: [rejection(part, result)] };
      case 'too_large': {
        const halves = splitRequest(signal, part.body);
        return halves
          ? this.#sendHalves(signal, halves, report)
          : { ...report, rejected: [rejection(part, result)] };
      }
      case 'later':
        return {
          ...report,
          stopped: {
            reason: result.detail,
            remedy: result.reason === 'refused' ? NO_RECEIVER : this.#parts.goOn,
          },
        };
    }
  }

  async #sendHalves(signal: Signal, halves: readonly RequestPart[], before: SendReport): Promise<SendReport> {
    let total = before;
    for (const half of halves) {
      if (total.stopped !== undefined) break;
      const report = await this.send(signal, half);
      total = {
        requests: total.requests + report.requests,
        sent: total.sent + report.sent,
        refused: total.refused + report.refused,
        partialAnswer: report.partialAnswer ?? total.partialAnswer,
        oddAnswer: report.oddAnswer ?? total.oddAnswer,
        rejected: [...total.rejected, ...report.rejected],
        stopped: report.stopped,
      };
    }
    return total;
  }

  /** Sends until there is an answer that counts, or the wait is over. What listens there and is no receiver is not waited for. */
  async #deliver(
    signal: Signal,
    body: Uint8Array,
  ): Promise<{ readonly result: SendResult; readonly requests: number }> {
    const { context, transports, waitMs, onWait } = this.#parts;
    const { clock, random, signal: abort } = context;
    const end = clock.now() + waitMs;
    for (let requests = 1; ; requests += 1) {
      const result = await transports[signal].send(body);
      if (result.status !== 'later') {
        onWait(undefined);
        return { result, requests };
      }
      const delay = backoffMs(requests - 1, result.reason, result.retryAfterMs, random);
      const isOver = result.reason === 'refused' || abort.aborted || clock.now() + delay > end;
      if (isOver) return { result, requests };
      onWait(result.detail);
      await pause(clock, delay, abort);
      if (abort.aborted) return { result: { ...result, detail: 'interrupted' }, requests };
    }
  }

  async #takeTurn({ body, items }: RequestPart): Promise<void> {
    const { rate, context } = this.#parts;
    if (!rate) return;
    const now = context.clock.now();
    if (this.#freeAt > now) await pause(context.clock, this.#freeAt - now, context.signal);
    const amount = rate.unit === 'items' ? items : body.byteLength;
    this.#freeAt = Math.max(this.#freeAt, now) + (amount / rate.amount) * 1_000;
  }
}

function rejection(
  { items }: RequestPart,
  { code, answer }: { readonly code: number; readonly answer: string },
): SendReport['rejected'][number] {
  return { items, status: code, answer: answerText(answer) };
}

/** The receiver's words, short and without secrets. */
function answerText(answer: string): string {
  return redactor.text(answer.slice(0, MAX_ANSWER)).trim();
}
