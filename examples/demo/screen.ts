import type { WriteStream } from 'node:tty';
import type { Paint } from './board.ts';
import { headline, newsLine, table } from './board.ts';
import type { GuardNews } from './messages.ts';
import type { RunState, StartedPhase, Watcher } from './run.ts';

/** A watcher that shows what it sees, and can be told that it is over. */
export interface Screen extends Watcher {
  close(): void;
}

const LATEST_NEWS = 10;
const REDRAW_EVERY_MS = 200;
const PLAIN_EVERY_MS = 2_000;

/** Says nothing: for `--json`. */
export function silentScreen(): Screen {
  return { ready() {}, phase() {}, news() {}, close() {} };
}

/** Draws the table again and again in the same place. */
export function liveScreen(out: WriteStream, paint: Paint): Screen {
  let state: RunState | undefined;
  let phase: StartedPhase | undefined;
  let drawn = 0;
  let latest: readonly { readonly news: GuardNews; readonly times: number }[] = [];

  const line = ({ news, times }: { readonly news: GuardNews; readonly times: number }): string =>
    `${state ? newsLine(state, news, paint) : ''}${times > 1 ? ` (${times} times)` : ''}`;

  const draw = (): void => {
    if (!state) return;
    // Some pseudo-terminals have no size.
    const guards = table(state.guards, paint, out.columns > 0 ? out.columns : undefined);
    const lines = [headline(state, phase, paint), '', ...guards, '', ...latest.map(line)];
    const fitting = out.rows > 0 ? lines.slice(0, Math.max(1, out.rows - 1)) : lines;
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    // Autowrap is off while drawing: a line that wraps would move everything below it.
    out.write(`\u001b[?7l${up}\r${fitting.map((line) => `\u001b[2K${line}`).join('\n')}\n\u001b[J\u001b[?7h`);
    drawn = fitting.length;
  };
  const timer = setInterval(draw, REDRAW_EVERY_MS);

  return {
    ready: (started) => {
      state = started;
    },
    phase: (started) => {
      phase = started;
    },
    news: (news) => {
      if (!state) return;
      const last = latest.at(-1);
      const same = last?.news.guard === news.guard && last.news.says === news.says;
      const entry = { news, times: same ? last.times + 1 : 1 };
      latest = [...(same ? latest.slice(0, -1) : latest), entry].slice(-LATEST_NEWS);
    },
    close: () => {
      clearInterval(timer);
      draw();
    },
  };
}

/** Writes lines: each phase, each change of a breaker, and the table every two seconds. For logs and pipes. */
export function plainScreen(write: (text: string) => void, paint: Paint): Screen {
  let state: RunState | undefined;
  let phase: StartedPhase | undefined;
  const print = (lines: readonly string[]): void => write(`${lines.join('\n')}\n`);
  const timer = setInterval(() => {
    if (state) print([headline(state, phase, paint), ...table(state.guards, paint)]);
  }, PLAIN_EVERY_MS);

  return {
    ready: (started) => {
      state = started;
    },
    phase: (started) => {
      phase = started;
      if (state) print([headline(state, phase, paint)]);
    },
    news: (news: GuardNews) => {
      if (state && news.type === 'breaker.transition') print([newsLine(state, news, paint)]);
    },
    close: () => clearInterval(timer),
  };
}
