/** A format of the endpoint. */
export type Format = 'text' | 'openmetrics';

/** What an `Accept` header asks for. */
export interface Answer {
  readonly format: Format;
  readonly contentType: string;
}

const OPENMETRICS = 'application/openmetrics-text';
const TEXT: Answer = { format: 'text', contentType: 'text/plain; version=0.0.4; charset=utf-8' };

interface Range {
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

function rangesOf(header: string): Range[] {
  return header.split(',').flatMap((part) => {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    if (type === '') return [];
    const named = new Map(
      parameters.map((parameter): [string, string] => {
        const [name = '', value = ''] = parameter.split('=', 2);
        return [name.trim(), value.trim().replaceAll('"', '')];
      }),
    );
    const quality = Number(named.get('q') ?? 1);
    if (!(quality >= 0 && quality <= 1)) return [];
    return [{ type, version: named.get('version'), quality }];
  });
}

/** The quality of the range that speaks of this most closely (RFC 9110, 12.5.1); 0 for none. */
function qualityOf(ranges: readonly Range[], types: readonly string[], version?: string): number {
  for (const type of types) {
    const found = ranges.filter((range) => range.type === type);
    const exact = found.find((range) => range.version !== undefined && range.version === version);
    const chosen = exact ?? found.find((range) => range.version === undefined);
    if (chosen) return chosen.quality;
  }
  return 0;
}

/**
 * Chooses the format. OpenMetrics is for those who name it; everybody else, a browser or curl, has text, and so has whoever accepts neither:
 * a scrape that can be read by eye is worth more than a 406.
 * @param accept the `Accept` header
 */
export function negotiate(accept: string | undefined): Answer {
  const ranges = rangesOf(accept ?? '');
  const text = qualityOf(ranges, ['text/plain', 'text/*', '*/*'], '0.0.4');
  const [first] = ['1.0.0', '0.0.1']
    .map((version) => ({ version, quality: qualityOf(ranges, [OPENMETRICS], version) }))
    .toSorted((a, b) => b.quality - a.quality);
  if (!first || first.quality === 0 || first.quality < text) return TEXT;
  return {
    format: 'openmetrics',
    contentType: `${OPENMETRICS}; version=${first.version}; charset=utf-8`,
  };
}

/** @returns whether an `Accept-Encoding` header allows gzip */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return qualityOf(rangesOf(acceptEncoding ?? ''), ['gzip', '*']) > 0;
}
