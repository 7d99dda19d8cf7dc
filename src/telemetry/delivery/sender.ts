import type { Clock } from '../../core/clock.ts';
import type { TelemetryCounts } from '../counts.ts';
import type { SetAside } from '../journal/rejected-folder.ts';
import type { SendResult } from '../otlp-answer.ts';
import type { OtlpTransport } from '../otlp-transport.ts';
import type { Signal } from '../signal.ts';
import type { Warn } from '../warner.ts';
import { splitRequest } from './split-request.ts';
import type { RequestPart } from './split-request.ts';

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

/** What became of a batch: over with, or to be sent again. */
export type SendOutcome =
  /** Nothing of it is to be sent again; `taken` of its items were taken. */
  { readonly status: 'done'; readonly taken: number } | Extract<SendResult, { status: 'later' }>;

/** Sends one batch and does what the answer asks for: splits what is too large, sets aside what is refused for good. */
export class Sender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @returns a promise that never rejects */
  async send(batch: RequestPart): Promise<SendOutcome> {
    const result = await this.#request(batch.body);
    switch (result.status) {
      case 'later':
        return result;
      case 'taken':
        return { status: 'done', taken: this.#taken(batch, result) };
      case 'rejected':
        this.#setAside(batch, 'rejected', result);
        return { status: 'done', taken: 0 };
      case 'too_large':
        return this.#sendHalves(batch, result);
    }
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
    counts.exported(signal, items - refused, clock.epoch());
    if (refused > 0) {
      counts.dropped(signal, 'rejected', refused);
      const why = result.detail === undefined ? '' : `: ${result.detail}`;
      warn(`otlp:partial:${target}`, `OTLP at ${target} refused ${refused} of ${items} ${signal}${why}.`);
    }
    return items - refused;
  }

  /** Where the second half has to wait, the whole batch is sent again: what is on disk is one line. */
  async #sendHalves(
    batch: RequestPart,
    result: Extract<SendResult, { status: 'too_large' }>,
  ): Promise<SendOutcome> {
    const { signal, warn, target } = this.#parts;
    const halves = splitRequest(signal, batch.body);
    if (!halves) {
      this.#setAside(batch, 'too_large', result);
      return { status: 'done', taken: 0 };
    }
    warn(
      `otlp:too_large:${target}`,
      `OTLP at ${target} takes no batch of ${batch.body.byteLength} bytes (HTTP ${result.code}); it is split. ` +
        'Raise the limit of the receiver, or lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BLRP_MAX_EXPORT_BATCH_SIZE.',
    );
    let taken = 0;
    for (const half of halves) {
      const outcome = await this.send(half);
      if (outcome.status === 'later') return outcome;
      taken += outcome.taken;
    }
    return { status: 'done', taken };
  }

  #setAside(
    { body, items }: RequestPart,
    reason: 'rejected' | 'too_large',
    { code, answer }: { readonly code: number; readonly answer: string },
  ): void {
    const { backlog, counts, signal, warn, target } = this.#parts;
    counts.dropped(signal, reason, items);
    backlog?.setAside({ line: body, reason, items, target, status: code, answer });
    const where = backlog ? ` It lies in telemetry/rejected/${signal} with the answer.` : '';
    warn(
      `otlp:${reason}:${target}`,
      `OTLP at ${target} refused a batch of ${items} ${signal} for good (HTTP ${code}).${where} It is counted in keelson.telemetry.dropped.`,
    );
  }
}
