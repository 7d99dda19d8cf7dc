/** Why a batch was set aside. */
export const REJECTED_REASONS = ['rejected', 'too_large', 'damaged'] as const;

/** Why a batch was set aside; see {@link REJECTED_REASONS}. */
export type RejectedReason = (typeof REJECTED_REASONS)[number];

/** The record beside a batch that was set aside. */
export interface RejectedRecord {
  readonly version: 1;
  readonly reason: RejectedReason;
  /** The HTTP status of the answer, if there was one. */
  readonly status?: number | undefined;
  /** The first 4 KiB of the answer, without secrets. */
  readonly answer?: string | undefined;
  /** The endpoint without user, password and query. */
  readonly target: string;
  /** ISO 8601. */
  readonly time: string;
  readonly items: number;
}

/** The longest answer that a record keeps, in bytes. */
export const MAX_ANSWER_BYTES = 4_096;

/** Parses a record, and never throws. @returns `undefined` if it is none, or has a later version */
export function parseRejectedRecord(text: string): RejectedRecord | undefined {
  let body: Partial<Record<keyof RejectedRecord, unknown>> | null;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof body !== 'object' || body === null || body.version !== 1) return undefined;
  const reason = REJECTED_REASONS.find((each) => each === body.reason);
  const { target, time, items, status, answer } = body;
  if (!reason || typeof target !== 'string' || typeof time !== 'string' || typeof items !== 'number') {
    return undefined;
  }
  return {
    version: 1,
    reason,
    target,
    time,
    items,
    ...(typeof status === 'number' && { status }),
    ...(typeof answer === 'string' && { answer }),
  };
}
