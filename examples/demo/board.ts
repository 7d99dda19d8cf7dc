import type { GuardNews, GuardReport } from './messages.ts';
import type { RunState, StartedPhase } from './run.ts';

/** Puts the colour of a terminal around a text, or nothing. */
export type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string;

const CODES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

/** @param colours whether the terminal shows them */
export function painter(colours: boolean): Paint {
  return (colour, text) => (colours ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

const ms = (value: number): string => `${Math.round(value)} ms`;

const breakerState = ({ snapshot }: GuardReport): string => snapshot.breaker?.state ?? '-';

interface Column {
  readonly heading: string;
  readonly width: number;
  readonly cell: (report: GuardReport) => string | number;
  /** Where the terminal is too narrow, the columns with the highest number go first; those without one stay. */
  readonly goes?: number;
}

const COLUMNS: readonly Column[] = [
  { heading: 'guard', width: -9, cell: ({ snapshot }) => snapshot.name },
  { heading: 'breaker', width: -9, cell: (report) => breakerState(report).replaceAll('_', '-') },
  { heading: 'success', width: 8, cell: ({ snapshot }) => snapshot.calls.success },
  { heading: 'cached', width: 7, cell: ({ snapshot }) => snapshot.origins.cache },
  { heading: 'stale', width: 6, cell: ({ snapshot }) => snapshot.origins.stale },
  { heading: 'failure', width: 8, cell: ({ snapshot }) => snapshot.calls.failure },
  { heading: 'timeout', width: 8, cell: ({ snapshot }) => snapshot.calls.timeout },
  { heading: 'rejected', width: 9, cell: ({ snapshot }) => snapshot.calls.rejected },
  { heading: 'cancelled', width: 10, cell: ({ snapshot }) => snapshot.calls.cancelled, goes: 3 },
  { heading: 'retries', width: 8, cell: ({ snapshot }) => snapshot.retries, goes: 1 },
  { heading: 'in flight', width: 10, cell: ({ snapshot }) => snapshot.inFlight, goes: 4 },
  { heading: 'p50', width: 7, cell: ({ latency }) => ms(latency.p50), goes: 2 },
  { heading: 'p99', width: 8, cell: ({ latency }) => ms(latency.p99) },
];

function fitting(width: number): readonly Column[] {
  let columns = COLUMNS;
  const room = (): number => columns.reduce((sum, column) => sum + Math.abs(column.width) + 1, -1);
  for (let last = 4; room() > width && last > 0; last -= 1) {
    columns = columns.filter(({ goes }) => goes !== last);
  }
  return columns;
}

function row(columns: readonly Column[], cell: (column: Column) => string | number): string {
  return columns
    .map((column) => {
      const text = String(cell(column));
      return column.width < 0 ? text.padEnd(-column.width) : text.padStart(column.width);
    })
    .join(' ');
}

/**
 * The table of the guards, with its headings.
 * @param width the columns of the terminal: what matters least is left out of a narrow one
 */
export function table(
  guards: readonly GuardReport[],
  paint: Paint,
  width: number = Number.POSITIVE_INFINITY,
): readonly string[] {
  const columns = fitting(width);
  const rows = guards.map((report) => {
    const state = breakerState(report);
    const line = row(columns, ({ cell }) => cell(report));
    return state === 'open' ? paint('red', line) : state === 'half_open' ? paint('yellow', line) : line;
  });
  return [
    paint(
      'dim',
      row(columns, ({ heading }) => heading),
    ),
    ...rows,
  ];
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
