/** One selector of a query: which series it reads, and by which labels it chooses them. */
export interface Selector {
  readonly names: readonly string[];
  readonly labels: readonly string[];
}

/** What a query reads and groups by. */
export interface Reading {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `on`, `group_left` and their like. */
  readonly grouping: readonly string[];
  /** Labels that `label_replace` adds. */
  readonly made: readonly string[];
  /** Names inside `rate`, `irate` or `increase`. */
  readonly rated: ReadonlySet<string>;
}

const TOKEN = /"(?:\\.|[^"\\])*"|\[[^\]]*\]|\$\{?\w+\}?|\d[\w.]*|[A-Za-z_:][\w:]*|=~|!~|!=|==|>=|<=|[^\s]/g;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2']);
const RATES = new Set(['rate', 'irate', 'increase']);
const isName = (token: string | undefined): boolean => token !== undefined && /^[A-Za-z_:]/.test(token);

/** The label that a `label_replace(...)` at the head of these tokens makes: its second argument. */
function labelsMade(tokens: readonly string[]): readonly string[] {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    depth += Number(token === '(') - Number(token === ')');
    if (depth === 1 && token === ',') return [(tokens[index + 1] ?? '').slice(1, -1)];
  }
  return [];
}

/** `a_(b|c)_d` stands for `a_b_d` and `a_c_d`. */
function alternatives(pattern: string): readonly string[] {
  const group = /^(.*?)\(([^()]*)\)(.*)$/.exec(pattern);
  if (group === null) return pattern.split('|');
  const [, head = '', inner = '', tail = ''] = group;
  return inner.split('|').flatMap((each) => alternatives(`${head}${each}${tail}`));
}

/**
 * Reads PromQL as far as names are concerned; types and syntax are promtool's affair.
 *
 * @returns every series and label that a query names
 */
export function readingOf(expr: string): Reading {
  const tokens = expr.match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const rated = new Set<string>();
  const made: string[] = [];
  const open: boolean[] = [];
  let at = 0;

  const matchers = (name: string | undefined): void => {
    const labels: string[] = [];
    let names = name === undefined ? [] : [name];
    if (tokens[at] === '{') {
      for (at += 1; at < tokens.length && tokens[at] !== '}'; at += 1) {
        if (!isName(tokens[at])) continue;
        if (tokens[at] === '__name__') names = [...alternatives((tokens[at + 2] ?? '').slice(1, -1))];
        else labels.push(tokens[at] ?? '');
      }
      at += 1;
    }
    selectors.push({ names, labels });
    if (open.includes(true)) for (const each of names) rated.add(each);
  };

  while (at < tokens.length) {
    const token = tokens[at] ?? '';
    const next = tokens[at + 1];
    if (GROUPING.has(token) && next === '(') {
      for (at += 2; tokens[at] !== ')' && at < tokens.length; at += 1) {
        if (isName(tokens[at])) grouping.push(tokens[at] ?? '');
      }
      at += 1;
    } else if (isName(token) && next === '(') {
      if (token === 'label_replace') made.push(...labelsMade(tokens.slice(at)));
      open.push(RATES.has(token));
      at += 2;
    } else if (token === '(') {
      open.push(false);
      at += 1;
    } else if (token === ')') {
      open.pop();
      at += 1;
    } else if (isName(token) && !WORDS.has(token) && !GROUPING.has(next ?? '')) {
      at += 1;
      matchers(token);
    } else if (token === '{') matchers(undefined);
    else at += 1;
  }
  return { selectors, grouping, made, rated };
}

/** @returns the names of the series that a query reads */
export function metricsIn(expr: string): readonly string[] {
  return readingOf(expr).selectors.flatMap(({ names }) => names);
}

/**
 * @param known series with their labels
 * @returns names in a query that do not exist: series, and labels that none of its series has
 */
export function unknownNames(
  expr: string,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  const { selectors, grouping, made } = readingOf(expr);
  const labelsOf = (names: readonly string[]): ReadonlySet<string> =>
    new Set(names.flatMap((name) => [...(known.get(name) ?? [])]));
  const all = new Set([...labelsOf(selectors.flatMap(({ names }) => names)), ...made, '__name__']);
  const something = selectors.some(({ names }) => names.some((name) => known.has(name)));
  return [
    ...selectors.flatMap(({ names, labels }) => [
      ...names.filter((name) => !known.has(name)),
      ...(names.some((name) => known.has(name)) ? labels.filter((label) => !labelsOf(names).has(label)) : []),
    ]),
    ...(something ? grouping.filter((label) => !all.has(label)) : []),
  ];
}
