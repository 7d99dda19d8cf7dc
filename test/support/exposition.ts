/** One line of an exposition. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar?: {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    readonly time: number | undefined;
  };
}

/** One family of an exposition: what `# TYPE` opens. */
export interface ExposedFamily {
  readonly name: string;
  readonly type: string;
  unit?: string;
  help?: string;
  readonly samples: ExposedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const TYPES = ['counter', 'gauge', 'histogram', 'info', 'unknown'];
const ENDINGS: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  info: ['_info'],
  unknown: [''],
};

class Reader {
  readonly #line: string;
  #at = 0;

  constructor(line: string) {
    this.#line = line;
  }

  take(pattern: RegExp, what: string): string {
    const sticky = new RegExp(pattern.source, 'y');
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#line);
    if (!found) throw new Error(`Expected ${what} at ${this.#at} of: ${this.#line}`);
    this.#at = sticky.lastIndex;
    return found[0];
  }

  has(text: string): boolean {
    if (!this.#line.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  get isDone(): boolean {
    return this.#at === this.#line.length;
  }

  labels(): Record<string, string> {
    const labels: Record<string, string> = {};
    if (this.has('}')) return labels;
    do {
      const name = this.take(LABEL_HEAD, 'a label');
      this.take(/="/, 'a quoted value');
      const raw = this.take(/(?:\\[\\n"]|[^\\"\n])*/, 'a value');
      this.take(/"/, 'a closing quote');
      if (name in labels) throw new Error(`The label ${name} is there twice: ${this.#line}`);
      labels[name] = unescaped(raw);
    } while (this.has(','));
    this.take(/\}/, 'a closing brace');
    return labels;
  }

  number(): number {
    return toNumber(this.take(/[^ ]+/, 'a number'));
  }
}

const LABEL_HEAD = /[a-zA-Z_][a-zA-Z0-9_]*/;

const unescaped = (raw: string): string =>
  raw.replaceAll(/\\([\\n"])/g, (_, found: string) => (found === 'n' ? '\n' : found));

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  if (text !== 'NaN' && !/^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/.test(text))
    throw new Error(`No number: ${text}`);
  return Number(text);
}

function readSample(line: string): ExposedSample {
  const reader = new Reader(line);
  const name = reader.take(/[a-zA-Z_:][a-zA-Z0-9_:]*/, 'a name');
  const labels = reader.has('{') ? reader.labels() : {};
  reader.take(/ /, 'a space');
  const value = reader.number();
  if (reader.isDone) return { name, labels, value };
  reader.take(/ # \{/, 'an exemplar');
  const exemplar = { labels: reader.labels(), value: (reader.take(/ /, 'a space'), reader.number()) };
  const time = reader.isDone ? undefined : (reader.take(/ /, 'a space'), reader.number());
  return { name, labels, value, exemplar: { ...exemplar, time } };
}

/**
 * Reads an exposition as strictly as its specification is written, which real parsers do not.
 * @throws for whatever is not valid: a family or series that is there twice, a sample outside of its family, a label twice, a bad escape,
 *   buckets that fall, a missing end
 */
export function readExposition(text: string, format: 'text' | 'openmetrics'): readonly ExposedFamily[] {
  const isOpen = format === 'openmetrics';
  if (!text.endsWith(isOpen ? '# EOF\n' : '\n')) throw new Error('The end is missing.');
  const families = new Map<string, ExposedFamily>();
  const series = new Set<string>();
  const helps = new Map<string, string>();
  let family: ExposedFamily | undefined;
  for (const line of text
    .slice(0, isOpen ? -'# EOF\n'.length : undefined)
    .split('\n')
    .slice(0, -1)) {
    const [, keyword, name = '', rest = ''] = /^# (TYPE|HELP|UNIT) ([^ ]+) (.*)$/s.exec(line) ?? [];
    if (keyword === undefined) {
      if (!family) throw new Error(`A sample before any family: ${line}`);
      addSample(family, readSample(line), series, isOpen);
      continue;
    }
    if (!NAME.test(name)) throw new Error(`A bad name: ${line}`);
    if (keyword === 'HELP') {
      if (helps.has(name)) throw new Error(`HELP twice: ${line}`);
      helps.set(
        name,
        rest.replaceAll(/\\([\\n"])/g, (_, found: string) => (found === 'n' ? '\n' : found)),
      );
    } else if (keyword === 'TYPE') {
      if (!TYPES.includes(rest) || families.has(name)) throw new Error(`A bad or second TYPE: ${line}`);
      family = { name, type: rest, samples: [] };
      families.set(name, family);
    } else {
      if (family?.name !== name || !name.endsWith(`_${rest}`)) throw new Error(`A bad UNIT: ${line}`);
      family.unit = rest;
    }
  }
  for (const each of families.values()) {
    const help = helps.get(each.name);
    if (help !== undefined) each.help = help;
    if (each.type === 'histogram') checkHistogram(each);
  }
  return [...families.values()];
}

const sorted = (labels: Readonly<Record<string, string>>): readonly unknown[] =>
  Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));

function addSample(family: ExposedFamily, sample: ExposedSample, series: Set<string>, isOpen: boolean): void {
  const { name, labels } = sample;
  const endings = isOpen || family.type === 'histogram' ? (ENDINGS[family.type] ?? []) : [''];
  if (!endings.some((ending) => name === family.name + ending))
    throw new Error(`${name} is no sample of ${family.name}`);
  if (Object.keys(labels).some((label) => !LABEL.test(label))) throw new Error(`A bad label of ${name}`);
  const key = JSON.stringify([name, sorted(labels)]);
  if (series.has(key)) throw new Error(`A series is there twice: ${key}`);
  series.add(key);
  if (sample.exemplar && !name.endsWith('_bucket')) throw new Error(`An exemplar at ${name}`);
  family.samples.push(sample);
}

function checkHistogram({ name, samples }: ExposedFamily): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _le, ...others } }) => JSON.stringify(sorted(others)));
  for (const group of groups.values()) {
    const buckets = group.filter((each) => each.name.endsWith('_bucket'));
    const bounds = buckets.map(({ labels }) => toNumber(labels['le'] ?? ''));
    const count = group.find((each) => each.name.endsWith('_count'))?.value;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      throw new Error(`${name} does not end with all of its observations`);
    for (const [index, bucket] of buckets.entries()) {
      const before = buckets[index - 1];
      if (!before) continue;
      if ((bounds[index] ?? 0) <= (bounds[index - 1] ?? 0) || bucket.value < before.value)
        throw new Error(`Buckets of ${name} fall`);
    }
  }
}
