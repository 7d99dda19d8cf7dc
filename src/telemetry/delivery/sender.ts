import type { Clock } from '../../core/time/clock.ts';
import type { TelemetryCounts } from '../counts.ts';
import type { Place, SetAside } from '../journal/index.ts';
import type { OtlpTransport, SendResult } from '../otlp/http/index.ts';
import { splitRequest } from '../otlp/index.ts';
import type { RequestPart } from '../otlp/index.ts';
import { answerExcerpt } from '../redaction/index.ts';
import type { Signal } from '../semconv.ts';
import type { Warn } from '../warnings/warner.ts';

/** What a {@link Sender} is made of. */
export interface SenderParts {
  readonly signal: Signal;
  readonly transport: OtlpTransport;
  readonly counts: TelemetryCounts;
  readonly clock: Clock;
  readonly warn: Warn;
  readonly target: string;
  readonly backlog?: { setAside(batch: SetAside): void } | undefined;
}

/** What became of a batch: done, or to be sent again. */
export type SendOutcome =
  /** No part of the batch is to be sent again. The receiver took `taken` of its items. */
  { readonly status: 'done'; readonly taken: number } | Extract<SendResult, { status: 'later' }>;

/** A batch to send, and its bytes in the journal. They identify the batch when it is tried again. */
export interface SentBatch extends RequestPart {
  readonly place?: Place | undefined;
}

type Refusal = Extract<SendResult, { status: 'too_large' | 'rejected' }>;

interface Unfinished {
  readonly batch: SentBatch;
  readonly parts: RequestPart[];
  taken: number;
  /** Parts that are too large and cannot be split further. */
  readonly tooLarge: { readonly part: RequestPart; readonly refusal: Refusal }[];
}

/** How to make batches smaller. */
const SMALLER: Readonly<Record<Signal, string>> = {
  traces: 'Raise the limit of the receiver, or lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE.',
  metrics: 'Raise the limit of the receiver.',
  logs: 'Raise the limit of the receiver, or lower OTEL_BLRP_MAX_EXPORT_BATCH_SIZE.',
};

/** Each lane has a sender of its own. */
const MAX_UNFINISHED = 2;
const MAX_DETAIL = 200;

/** Sends one batch, splits it if it is too large, and sets it aside if the receiver refuses it for good. */
export class Sender {
  readonly #parts: SenderParts;
  #unfinished: readonly Unfinished[] = [];
  /** Whether a single item was too large, and the receiver took nothing since. Then splitting would only cost a request for each item. */
  #refusesAnySize = false;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @returns a promise that never rejects */
  async send(batch: SentBatch): Promise<SendOutcome> {
    const work = this.#resume(batch) ?? { batch, parts: [batch], taken: 0, tooLarge: [] };
    for (let part = work.parts[0]; part; part = work.parts[0]) {
      const result = await this.#request(part.body);
      if (result.status === 'later') {
        if (part !== batch) this.#unfinished = [work, ...this.#unfinished].slice(0, MAX_UNFINISHED);
        return result;
      }
      work.parts.shift();
      if (result.status === 'taken') work.taken += this.#taken(part, result);
      else if (result.status === 'rejected') this.#setAside(part, 'rejected', result);
      else work.parts.unshift(...this.#halves(part, result, work));
    }
    this.#setAsideTooLarge(work);
    return { status: 'done', taken: work.taken };
  }

  /** The parts of a split batch that are still to be sent. The receiver has the other parts, and would get them twice with the whole batch. */
  #resume({ place, body }: SentBatch): Unfinished | undefined {
    const found = this.#unfinished.find(({ batch }) =>
      place
        ? batch.place?.segment === place.segment && batch.place.range[0] === place.range[0]
        : batch.body === body,
    );
    if (found) this.#unfinished = this.#unfinished.filter((each) => each !== found);
    return found;
  }

  async #request(body: Uint8Array): Promise<SendResult> {
    try {
      return await this.#parts.transport.send(body);
    } catch {
      return { status: 'later', reason: 'unreachable', detail: 'request failed', retryAfterMs: undefined };
    }
  }

  #taken({ items }: RequestPart, result: Extract<SendResult, { status: 'taken' }>): number {
    const { counts, signal, clock, warn, target } = this.#parts;
    const refused = Math.min(result.refused, items);
    this.#refusesAnySize = false;
    counts.exported(signal, items - refused, clock.epoch());
    if (refused > 0) {
      counts.dropped(signal, 'rejected', refused);
      const why = result.detail === undefined ? '' : `: ${answerExcerpt(result.detail, MAX_DETAIL)}`;
      warn(`otlp:partial:${target}`, `OTLP at ${target} refused ${refused} of ${items} ${signal}${why}.`);
    }
    if (result.odd !== undefined) {
      warn(
        `otlp:odd:${target}`,
        `OTLP at ${target} takes ${signal} with an answer that is none of OTLP's (${result.odd}). As OTLP asks, that counts as delivered and is not sent again. ` +
          'If nothing arrives, something else listens there: check OTEL_EXPORTER_OTLP_ENDPOINT.',
      );
    }
    return items - refused;
  }

  /** @returns `undefined` for a batch that is to be set aside: it cannot be split, or splitting would not help */
  #halves(part: RequestPart, refusal: Refusal, work: Unfinished): readonly RequestPart[] {
    const { signal, warn, target } = this.#parts;
    const halves = this.#refusesAnySize ? undefined : splitRequest(signal, part.body);
    if (!halves) {
      if (work.taken === 0) this.#refusesAnySize = true;
      work.tooLarge.push({ part, refusal });
      return [];
    }
    warn(
      `otlp:split:${target}`,
      `OTLP at ${target} takes no batch of ${part.body.byteLength} bytes (HTTP ${refusal.code}); it is split. ${SMALLER[signal]}`,
    );
    return halves;
  }

  /** Sets aside a batch of which the receiver took no part, as one pair of files. */
  #setAsideTooLarge({ batch, tooLarge }: Unfinished): void {
    const items = tooLarge.reduce((sum, { part }) => sum + part.items, 0);
    const [first] = tooLarge;
    if (first && items === batch.items) this.#setAside(batch, 'too_large', first.refusal);
    else for (const { part, refusal } of tooLarge) this.#setAside(part, 'too_large', refusal);
  }

  #setAside({ body, items }: RequestPart, reason: 'rejected' | 'too_large', { code, answer }: Refusal): void {
    const { backlog, counts, signal, warn, target } = this.#parts;
    counts.dropped(signal, reason, items);
    backlog?.setAside({ line: body, reason, items, target, status: code, answer });
    const where = backlog ? ` It lies in telemetry/rejected/${signal} with the answer.` : '';
    warn(
      `otlp:${reason}:${code}:${target}`,
      `OTLP at ${target} refused a batch of ${items} ${signal} for good (HTTP ${code}).${where} It is counted in keelson.telemetry.dropped.` +
        (reason === 'too_large' ? ` ${SMALLER[signal]}` : ''),
    );
  }
}
