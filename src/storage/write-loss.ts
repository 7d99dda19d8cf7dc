/** Why lines could not be written. `other` is every system error without a name of its own here. */
export const WRITE_LOSS_REASONS = [
  'disk_full',
  'not_permitted',
  'read_only',
  'too_large',
  'closed',
  'other',
] as const;

/** Why lines could not be written. */
export type WriteLossReason = (typeof WRITE_LOSS_REASONS)[number];

const REASONS: Readonly<Record<string, WriteLossReason>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
  ERR_KEELSON_HOME: 'not_permitted',
  EROFS: 'read_only',
  EFBIG: 'too_large',
};

/** The reason that belongs to an error's code. */
export function writeLossReason(code: string): WriteLossReason {
  return REASONS[code] ?? 'other';
}
