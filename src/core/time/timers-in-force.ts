/** What the process calls `setTimeout` now. */
export function timersInForce(): unknown {
  return globalThis.setTimeout;
}

/** The timers with which this file was loaded. `@sinonjs/fake-timers` marks those that it has made: Jest can load a module while they are in force. */
const OWN: unknown = 'clock' in globalThis.setTimeout ? undefined : globalThis.setTimeout;

/**
 * Whether a test runner has replaced the timers of the process. A timer that starts now fires when the test moves its clock, and never once the test has put the
 * real timers back: it must not be shared with later calls.
 */
export function areTimersReplaced(): boolean {
  return globalThis.setTimeout !== OWN;
}
