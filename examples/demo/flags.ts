import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Flags {
  readonly durationMs: number;
  readonly json: boolean;
  readonly seed: number;
  readonly otlp: string | undefined;
  readonly home: string | undefined;
}

/** What to print instead of running, and the exit code. */
export interface Refusal {
  readonly exitCode: number;
  readonly text: string;
}

export const HELP = `Usage: npm run demo -- [flags]

A small shop, as four processes: a storefront that guards its calls to payments, inventory and shipping.
Things go wrong on purpose: healthy, slow, failing, down, recovering.

  --for 20s      how long it runs: a number with s or m, 5s to 1h (30s)
  --seed N       the same number gives the same faults again (1)
  --json         one JSON document on standard output, nothing else (npm adds its own lines unless called as npm run -s)
  --otlp URL     sends traces, metrics and logs to this OTLP/HTTP endpoint, such as http://127.0.0.1:4318
  --home DIR     where the telemetry is written (a fresh folder below KEELSON_HOME or ./.keelson)
  --help         this text
`;

const MIN_MS = 5_000;
const MAX_MS = 3_600_000;

function readDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  if (!match) return undefined;
  const unit = match[2] === 'ms' ? 1 : match[2] === 's' ? 1_000 : 60_000;
  const ms = Number(match[1]) * unit;
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined;
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol);
}

const OPTIONS = {
  for: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  otlp: { type: 'string' },
  home: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** Reads the command line. */
export function readFlags(args: readonly string[]): Flags | Refusal {
  const wrong = (problem: string): Refusal => ({
    exitCode: 2,
    text: `${problem}\n\`npm run demo -- --help\` lists the flags.\n`,
  });
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false }));
  } catch (error) {
    return wrong(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
  if (values.help) return { exitCode: 0, text: HELP };
  const durationMs = readDuration(values.for ?? '30s');
  if (durationMs === undefined)
    return wrong(`Expected --for to be a time from 5s to 1h, got \`${values.for}\`. Try --for 20s.`);
  const seed = Number(values.seed ?? 1);
  if (!Number.isSafeInteger(seed) || seed < 0)
    return wrong(`Expected --seed to be a whole number, got \`${values.seed}\`. Try --seed 7.`);
  if (values.otlp !== undefined && !isHttpUrl(values.otlp)) {
    return wrong(
      `Expected --otlp to be an http or https URL, got \`${values.otlp}\`. Try --otlp http://127.0.0.1:4318.`,
    );
  }
  if (values.home === '')
    return wrong('Expected --home to be a folder, got nothing. Leave it out for a fresh one.');
  return { durationMs, json: values.json ?? false, seed, otlp: values.otlp, home: values.home };
}
