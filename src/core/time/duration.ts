/**
 * A length of time: a number of milliseconds, or a number with its unit, such as `'250ms'`, `'1.5s'`, `'2m'`, `'1h'`, `'7d'`.
 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** The longest delay that Node's timers can hold: 2^31-1 ms, about 24.8 days. */
export const MAX_TIMER_MS = 2_147_483_647;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Reads a duration.
 * @returns milliseconds, at least 0; `undefined` where `value` is not a duration
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = PATTERN.exec(value);
  if (!match) return undefined;
  return Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN);
}

/** Writes milliseconds as a person would: `1500` -> `1.5s`, `90000` -> `1.5m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = UNIT_MS[unit] ?? Number.NaN;
    if (ms >= size) return `${Number((ms / size).toFixed(2))}${unit}`;
  }
  return `${Number(ms.toFixed(2))}ms`;
}
