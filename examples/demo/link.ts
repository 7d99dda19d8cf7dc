// Loaded into each service of the demo with --import: tells the demo what the guards do, and ends the service when the demo is gone.
// The services themselves know nothing of it.
import type { Guard, GuardEvent } from 'keelson';
import { defaultKeelson } from 'keelson';
import { errorLine } from './error-line.ts';
import { Durations, latencyOf } from './latency.ts';
import type { FromService, GuardNews, GuardReport, ToService } from './messages.ts';

const REPORT_EVERY_MS = 200;
const FLUSH_WITHIN_MS = 3_000;

interface Watched {
  readonly guard: Guard;
  readonly recent: Durations;
  readonly all: Durations;
}

const watched = new Map<string, Watched>();

function tell(message: FromService): void {
  if (process.connected) process.send?.(message, () => {});
}

function newsOf(event: GuardEvent): GuardNews | undefined {
  const base = { at: Date.now(), guard: event.guard };
  switch (event.type) {
    case 'breaker.transition':
      return {
        ...base,
        type: event.type,
        says: `breaker ${event.from} -> ${event.to}`,
        from: event.from,
        to: event.to,
      };
    case 'retry.scheduled':
      return {
        ...base,
        type: event.type,
        says: `retry in ${Math.round(event.delayMs)} ms: ${errorLine(event.error)}`,
      };
    case 'retry.suppressed':
      return { ...base, type: event.type, says: `no retry (${event.reason}): ${errorLine(event.error)}` };
    case 'rejected':
      return { ...base, type: event.type, says: `rejected by the ${event.policy} (${event.reason})` };
    case 'timeout':
      return { ...base, type: event.type, says: `${event.scope} timeout after ${event.timeoutMs} ms` };
    default:
      return undefined;
  }
}

function watch(guard: Guard): void {
  const entry: Watched = { guard, recent: new Durations(300), all: new Durations(50_000) };
  watched.set(guard.name, entry);
  guard.on((event) => {
    if (event.type === 'call.settled') {
      entry.recent.add(event.durationMs);
      entry.all.add(event.durationMs);
    }
    const news = newsOf(event);
    if (news) tell({ type: 'news', news });
  });
}

function reports(which: 'recent' | 'all'): readonly GuardReport[] {
  return [...watched.values()].map((entry) => ({
    snapshot: entry.guard.snapshot(),
    latency: latencyOf(entry[which].values),
  }));
}

function look(): void {
  for (const guard of defaultKeelson().guards()) if (!watched.has(guard.name)) watch(guard);
  if (watched.size > 0) tell({ type: 'guards', guards: reports('recent') });
}

setInterval(look, REPORT_EVERY_MS).unref();
setImmediate(look);

process.on('message', (message: ToService) => {
  if (!message.finish) return;
  const all = [...watched.values()].flatMap((entry) => [...entry.all.values]);
  tell({ type: 'finished', guards: reports('all'), all: latencyOf(all) });
});

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), FLUSH_WITHIN_MS).unref();
});
