import { FIGURES, type Figure, LATENCY_BOUNDS, ORDERED } from './thresholds.ts';

/** A map of a YAML file. */
export type Table = Readonly<Record<string, unknown>>;

type Check = (value: unknown) => string | undefined;

const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
const orNothing = (problem: boolean, text: string): string | undefined => (problem ? text : undefined);

/** @returns whether a value of a YAML file is a map */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function number(value: unknown, above: number, atMost: number, hint: string): string | undefined {
  const from = above < 0 ? '[0' : `(${above}`;
  const wrong = typeof value !== 'number' || !(value > above && value <= atMost);
  return orNothing(wrong, `expected a number in ${from}, ${atMost}], got ${shown(value)}. ${hint}`);
}

const duration: Check = (value) =>
  orNothing(
    typeof value !== 'string' || !/^\d+[smhd]$/.test(value),
    `expected a duration, got ${shown(value)}. Use 90s, 5m, 1h or 0s.`,
  );

function figure(spec: Figure): Check {
  return spec === 'duration' ? duration : (value) => number(value, spec.above, spec.atMost, spec.hint);
}

const text =
  (pattern: RegExp, what: string): Check =>
  (value) =>
    orNothing(
      typeof value !== 'string' || !pattern.test(value),
      `expected ${what}, got ${typeof value === 'string' ? `"${value}"` : shown(value)}.`,
    );

const url = text(
  /^https?:\/\/[^\s/]+(\/\S*[^/\s])?$/,
  'an address such as https://grafana.example.com, without / at its end',
);

const channels: Check = (value) => {
  const known = ['webhook', 'slack', 'email'];
  const wrong =
    !Array.isArray(value) || value.length === 0 || value.some((each) => !known.includes(String(each)));
  return orNothing(wrong, `expected a list of ${known.join(', ')}, got ${shown(value)}.`);
};

/** What a map must hold: every key, and no other. */
function table(value: unknown, at: string, checks: Readonly<Record<string, Check>>): readonly string[] {
  if (!isTable(value)) return [`${at}: expected a map, got ${shown(value)}.`];
  const known = Object.keys(checks);
  const unknown = Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${at}.${key}: not known. Known are ${known.join(', ')}.`);
  const wrong = known.flatMap((key) => {
    const problem = checks[key]?.(value[key]);
    return problem === undefined ? [] : [`${at}.${key}: ${problem}`];
  });
  return [...unknown, ...wrong];
}

function thresholds(value: unknown): readonly string[] {
  if (!isTable(value)) return [`thresholds: expected a map, got ${shown(value)}.`];
  const unknown = Object.keys(value)
    .filter((alert) => !Object.hasOwn(FIGURES, alert))
    .map((alert) => `thresholds.${alert}: there is no such alert. dashboards/README.md lists them.`);
  const wrong = Object.entries(FIGURES).flatMap(([alert, figures]) =>
    table(
      value[alert],
      `thresholds.${alert}`,
      Object.fromEntries(Object.entries(figures).map(([key, spec]) => [key, figure(spec)])),
    ),
  );
  return [...unknown, ...wrong];
}

/** Pairs of alerts whose warning would come after the page. */
function order(value: Table): readonly string[] {
  const of = (alert: string): unknown => (value[alert] as Table | undefined)?.['ratio'];
  return ORDERED.filter(([lower, higher]) => Number(of(lower)) >= Number(of(higher))).map(
    ([lower, higher]) =>
      `thresholds.${lower}.ratio: expected less than ${higher}.ratio (${shown(of(higher))}), got ${shown(of(lower))}. It has to warn before the other pages.`,
  );
}

function slos(value: unknown): readonly string[] {
  if (!isTable(value)) return [`slos: expected a map, got ${shown(value)}.`];
  return Object.entries(value).flatMap(([name, slo]) => {
    const at = `slos.${name}`;
    const latency = isTable(slo) && slo['indicator'] === 'request_latency';
    return [
      ...(/^[a-z][a-z0-9-]*$/.test(name) ? [] : [`${at}: expected a name such as checkout-latency.`]),
      ...table(slo, at, {
        indicator: text(
          /^(requests|guarded_calls|request_latency)$/,
          'requests, guarded_calls or request_latency',
        ),
        objective: (each) =>
          orNothing(
            typeof each !== 'number' || each < 0.5 || each > 0.99999,
            `expected a number in [0.5, 0.99999], got ${shown(each)}. Use 0.999 for 99.9 %.`,
          ),
        minimumRate: (each) => number(each, -Number.MIN_VALUE, 1e6, 'It is a rate per second.'),
        ...(latency && {
          seconds: (each: unknown) =>
            orNothing(
              !LATENCY_BOUNDS.some((bound) => bound === each),
              `expected one of ${LATENCY_BOUNDS.join(', ')}, got ${shown(each)}. Only these are counted.`,
            ),
        }),
      }),
    ];
  });
}

/**
 * @param document the settings as YAML gives them
 * @returns everything that is wrong with them, each with where it is, what was expected, and what was got
 */
export function settingsProblems(document: Table): readonly string[] {
  const sections = ['addresses', 'slos', 'notifications', 'thresholds'];
  const unknown = Object.keys(document)
    .filter((section) => !sections.includes(section))
    .map((section) => `${section}: not known. Known are ${sections.join(', ')}.`);
  const figures = thresholds(document['thresholds']);
  const { slack, email, ...routes } = isTable(document['notifications']) ? document['notifications'] : {};
  const word = text(/\S/, 'a text');
  return [
    ...unknown,
    ...table(document['addresses'], 'addresses', {
      grafana: url,
      jaeger: url,
      runbooks: text(/^\S*[^/\s]$/, 'a folder or an address, without / at its end'),
    }),
    ...slos(document['slos']),
    ...table(routes, 'notifications', { critical: channels, warning: channels }),
    ...table(slack, 'notifications.slack', { channel: word }),
    ...table(email, 'notifications.email', {
      to: word,
      from: word,
      smarthost: text(/^[^\s:]+:\d+$/, 'host:port'),
      username: word,
    }),
    ...figures,
    ...(figures.length === 0 ? order(document['thresholds'] as Table) : []),
  ];
}
