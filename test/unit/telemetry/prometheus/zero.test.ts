import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OUTCOMES } from '../../../../src/core/outcome.ts';
import { createKeelson } from '../../../../src/index.ts';
import { DROP_REASONS, startTelemetry } from '../../../../src/telemetry/index.ts';
import type { Telemetry } from '../../../../src/telemetry/index.ts';
import { prometheusName } from '../../../../src/telemetry/prometheus/prometheus-name.ts';
import { SIGNALS } from '../../../../src/telemetry/semconv.ts';
import { readExposition } from '../../../support/exposition.ts';
import { everyMetric } from '../../../support/name-table.ts';

let home = '';
let telemetry: Telemetry | undefined;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'keelson-zero-'));
});

afterEach(async () => {
  await telemetry?.shutdown();
  rmSync(home, { recursive: true, force: true });
});

/** Told only where a guard has a shared store or a second tier. */
const OF_A_STORE = /^keelson\.(?:cache\.tier|rate_limiter)\./;

test('shows every counter at 0 before the first call, in each combination of labels', async () => {
  telemetry = startTelemetry({
    home,
    files: false,
    otlp: false,
    hostInterval: false,
    prometheus: { port: 0 },
    logger: { console: false, files: false },
    env: {},
  });
  createKeelson().guard('payments', {
    retry: { retries: 1, delay: '10ms' },
    breaker: {},
    bulkhead: { concurrent: 1, queue: 1, queueTimeout: '1s' },
    rateLimit: { limit: 1, per: '1s' },
    cache: { ttl: '1s' },
    timeout: { total: '5s' },
    fallback: { value: 1 },
  });
  await telemetry.ready;
  const response = await fetch(telemetry.prometheus?.url ?? '');
  const samples = new Map(
    readExposition(await response.text(), 'text')
      .filter(({ type }) => type === 'counter')
      .map((family) => [family.name, family.samples]),
  );
  const counters = everyMetric().filter(
    ({ name, instrument }) =>
      instrument === 'counter' &&
      name.startsWith('keelson.') &&
      !name.startsWith('keelson.host.') &&
      !OF_A_STORE.test(name),
  );
  expect([...samples.keys()].toSorted()).toEqual(counters.map(prometheusName).toSorted());
  expect([...samples.values()].flat().filter(({ value }) => value !== 0)).toEqual([]);
  const combinations = Object.fromEntries([...samples].map(([name, found]) => [name, found.length]));
  expect(combinations).toMatchObject({
    // Success by its four origins, the other outcomes are always live.
    keelson_calls_total: OUTCOMES.length - 1 + 4,
    // A rejected call is no attempt.
    keelson_attempts_total: OUTCOMES.length - 1,
    keelson_rejections_total: 8,
    keelson_retry_suppressed_total: 7,
    keelson_breaker_transitions_total: 15,
    keelson_cache_requests_total: 6,
    keelson_telemetry_dropped_total: SIGNALS.length * DROP_REASONS.length,
    keelson_telemetry_exported_total: SIGNALS.length,
  });
});
