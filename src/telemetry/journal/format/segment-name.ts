/** The parts of the name of a file in `telemetry/<signal>`. */
export interface SegmentName {
  /** When it was opened, in milliseconds since 1970. */
  readonly openedAt: number;
  /** The id of the owner that it belongs to: `<pid>-<random hex>`. */
  readonly owner: string;
  /** The number of the file among those of its owner. */
  readonly number: number;
  /** `segment`: lines; `archive`: delivered lines, compressed; `archiving`: an archive that is being made. */
  readonly kind: 'segment' | 'archive' | 'archiving';
}

const EXTENSIONS = { segment: '.jsonl', archive: '.jsonl.gz', archiving: '.jsonl.gz.tmp' } as const;
const NAME =
  /^(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-(\d+-[0-9a-f]{4,32})-(\d{1,15})(\.jsonl(?:\.gz(?:\.tmp)?)?)$/;

/** `2026-11-22T014500123Z`: ISO 8601 without the characters that some file systems refuse. */
export function segmentTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replaceAll(':', '').replace('.', '');
}

/** The file name of a segment or archive. Sorting names as texts sorts them by time. */
export function formatSegmentName({ openedAt, owner, number, kind }: SegmentName): string {
  return `${segmentTime(openedAt)}-${owner}-${number}${EXTENSIONS[kind]}`;
}

/** Parses a file name. @returns `undefined` for a file that is not the journal's */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = NAME.exec(name);
  if (!match) return undefined;
  const [, day, hour, minute, second, milliseconds, owner = '', number, extension] = match;
  const openedAt = Date.parse(`${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  if (Number.isNaN(openedAt)) return undefined;
  const kind =
    extension === EXTENSIONS.segment ? 'segment' : extension === EXTENSIONS.archive ? 'archive' : 'archiving';
  return { openedAt, owner, number: Number(number), kind };
}
