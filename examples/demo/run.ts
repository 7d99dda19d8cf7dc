import { setTimeout as sleep } from 'node:timers/promises';
import type { Phase } from './fault-script.ts';
import { faultScript } from './fault-script.ts';
import type { Flags } from './flags.ts';
import type { Shoppers } from './load.ts';
import { sendShoppers } from './load.ts';
import type { GuardNews, GuardReport } from './messages.ts';
import type { ProcessRecord } from './service-process.ts';
import type { FinalReport } from './shop.ts';
import { Shop } from './shop.ts';

/** A phase that began. */
export interface StartedPhase extends Phase {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Everything that a run has seen so far; the live table and the summary are made of it. */
export interface RunState {
  readonly flags: Flags;
  readonly home: string;
  readonly startedAt: number;
  readonly phases: StartedPhase[];
  readonly transitions: GuardNews[];
  readonly shoppers: Shoppers;
  readonly processes: readonly ProcessRecord[];
  readonly guards: readonly GuardReport[];
  /** What the services wrote to standard error. */
  readonly warnings: readonly string[];
  final: FinalReport | undefined;
}

/** Takes note of a run while it is on. */
export interface Watcher {
  ready(state: RunState): void;
  phase(phase: StartedPhase): void;
  news(news: GuardNews): void;
}

const LONGEST_OPEN_MS = 2_000;
/** How much longer than asked a run may take until the breakers are closed again, in milliseconds. */
const GRACE_MS = 5_000;

function allClosed(shop: Shop): boolean {
  return shop.guards.every(({ snapshot }) => (snapshot.breaker?.state ?? 'closed') === 'closed');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {});
}

/**
 * Runs the shop through the fault script.
 * @param signal ends the run early; what was seen until then is given all the same
 * @throws when a service cannot start or breaks down
 */
export async function runShop(
  flags: Flags,
  home: string,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<RunState> {
  const crash = new AbortController();
  const ended = AbortSignal.any([signal, crash.signal]);
  const shoppers: Shoppers = { came: 0, ordered: 0, refused: 0, gaveUp: 0 };
  const transitions: GuardNews[] = [];
  const shop = new Shop({
    home,
    otlp: flags.otlp,
    breakerOpenMs: Math.min(LONGEST_OPEN_MS, Math.round(flags.durationMs / 10)),
    onCrash: (error) => crash.abort(error),
    onNews: (news) => {
      if (news.type === 'breaker.transition') transitions.push(news);
      watcher.news(news);
    },
  });
  const load = new AbortController();
  try {
    await shop.start();
    const state: RunState = {
      flags,
      home,
      startedAt: Date.now(),
      phases: [],
      transitions,
      shoppers,
      processes: shop.records,
      get guards() {
        return shop.guards;
      },
      get warnings() {
        return shop.warnings;
      },
      final: undefined,
    };
    watcher.ready(state);
    const visits = sendShoppers(shop.storefrontUrl, flags.seed, shoppers, load.signal);
    for (const phase of faultScript(flags.seed, flags.durationMs)) {
      if (ended.aborted) break;
      const started = { ...phase, startedAt: Date.now() };
      state.phases.push(started);
      watcher.phase(started);
      await shop.apply(phase);
      await pause(state.startedAt + phase.offsetMs + phase.lengthMs - Date.now(), ended);
    }
    const latest = state.startedAt + flags.durationMs + GRACE_MS;
    while (!ended.aborted && !allClosed(shop) && Date.now() < latest) await pause(50, ended);
    load.abort();
    if (crash.signal.aborted) throw crash.signal.reason;
    await visits;
    state.final = await shop.finish();
    return state;
  } finally {
    load.abort();
    await shop.stop();
  }
}
