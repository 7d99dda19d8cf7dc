import type { GuardNews, GuardReport } from './messages.ts';
import type { RunState, StartedPhase } from './run.ts';

/** Puts the colour of a terminal around a text, or nothing. */
export type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string;

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

/** @param colours whether the terminal shows them */
export function painter(colours: boolean): Paint {
  return (colour, text) => (colours ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

const COLUMNS = [
  'guard',
  'breaker',
  'success',
  'cached',
  'stale',
  'failure',
  'timeout',
  'rejected',
  'cancelled',
  'retries',
  'in flight',
  'p50',
  'p99',
];
const WIDTHS = [9, 9, 8, 7, 6, 8, 8, 9, 10, 8, 10, 7, 8];

const ms = (value: number): string => `${Math.round(value)} ms`;

function row(cells: readonly (string | number)[]): string {
  return cells
    .map((cell, index) =>
      index < 2 ? String(cell).padEnd(WIDTHS[index] ?? 0) : String(cell).padStart(WIDTHS[index] ?? 0),
    )
    .join(' ');
}

function guardRow({ snapshot, latency }: GuardReport, paint: Paint): string {
  const { calls, origins } = snapshot;
  const state = snapshot.breaker?.state ?? '-';
  const line = row([
    snapshot.name,
    state.replaceAll('_', '-'),
    calls.success,
    origins.cache,
    origins.stale,
    calls.failure,
    calls.timeout,
    calls.rejected,
    calls.cancelled,
    snapshot.retries,
    snapshot.inFlight,
    ms(latency.p50),
    ms(latency.p99),
  ]);
  return state === 'open' ? paint('red', line) : state === 'half_open' ? paint('yellow', line) : line;
}

/** The table of the guards, with its headings. */
export function table(guards: readonly GuardReport[], paint: Paint): readonly string[] {
  return [paint('dim', row(COLUMNS)), ...guards.map((report) => guardRow(report, paint))];
}

/** `12.3s of 30s`, the phase and what is wrong in it. */
export function headline(state: RunState, phase: StartedPhase | undefined, paint: Paint): string {
  const elapsed = ((Date.now() - state.startedAt) / 1_000).toFixed(1).padStart(5);
  const name = phase ? paint(phase.name === 'healthy' ? 'green' : 'yellow', phase.name) : '';
  return `${paint('bold', 'shop')} ${elapsed}s of ${state.flags.durationMs / 1_000}s  ${name}: ${phase?.says ?? ''}`;
}

/** One line for something that happened. */
export function newsLine(state: RunState, news: GuardNews, paint: Paint): string {
  const at = `${((news.at - state.startedAt) / 1_000).toFixed(1).padStart(6)}s`;
  const text = `${at}  ${news.guard.padEnd(10)} ${news.says}`;
  if (news.type !== 'breaker.transition') return paint('dim', text);
  return paint(news.to === 'closed' ? 'green' : news.to === 'open' ? 'red' : 'yellow', text);
}
