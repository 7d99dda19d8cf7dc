/** The key of the baggage entry with which a request asks for chaos, or asks to be spared. */
export const BAGGAGE_CHAOS = 'keelson.chaos';

/** The event on the active span for every injection; also an attribute of that span, `true` where there was one. */
export const CHAOS_INJECTED = 'keelson.chaos.injected';

/** What was injected: `fault`, `latency` or `outcome`. */
export const ATTR_CHAOS_KIND = 'keelson.chaos.kind';

/** The injected latency in seconds. */
export const ATTR_CHAOS_LATENCY = 'keelson.chaos.latency';
