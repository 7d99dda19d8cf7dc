const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const STEP = 1_024;

/** Bytes as a person would write them: `1536` -> `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= STEP && unit < UNITS.length - 1) {
    size /= STEP;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A count with its word: `1 item`, `2 items`. */
export function counted(count: number, singular: string, plural: string = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

const AGE_UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long ago, in the two largest units that say something: `88_365` -> `1m 28s`; what is to come is `0s`. */
export function formatAge(ms: number): string {
  let rest = Math.max(0, Math.round(ms / 1_000));
  const parts = AGE_UNITS.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    return { count, text: `${count}${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first === -1) return '0s';
  const said = parts.slice(first, first + 2).filter(({ count }) => count > 0);
  return said.map(({ text }) => text).join(' ');
}
