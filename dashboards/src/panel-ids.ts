/** The dashboard's stable address. */
export const GUARDS_UID = 'keelson-guards';

/** Where the stack's Grafana is reached; alerts link there. Change it, run `npm run dashboards`, and the rules follow. */
export const GRAFANA_URL = 'http://127.0.0.1:3000';

/** Where the stack's Jaeger is reached from a browser; the dashboard's links go there. */
export const JAEGER_URL = 'http://127.0.0.1:16686';

/** Where the runbooks are; a folder of this repository as shipped, a web address once they are published. */
export const RUNBOOKS = 'dashboards/runbooks';

/** Ids of panels. They are part of links and alerts: add, never renumber. */
export const PANEL = {
  callsRow: 1,
  callRate: 2,
  failureRatio: 3,
  callDuration: 4,
  breakerRow: 5,
  breakerState: 6,
  breakerTransitions: 7,
  notClosed: 8,
  retryRow: 9,
  attempts: 10,
  retrySuppressed: 11,
  rejections: 12,
  waitTime: 13,
  bulkheadRow: 14,
  bulkheadSaturation: 15,
  bulkheadQueue: 16,
  abandoned: 17,
  telemetryRow: 18,
  telemetryDropped: 19,
  services: 20,
  bulkheadWait: 21,
  rateLimiter: 22,
  cacheRequests: 23,
  keyedState: 24,
  limitRow: 25,
} as const;
