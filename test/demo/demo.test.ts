import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../examples/demo/summary.ts';
import {
  ATTR_BREAKER_TO,
  ATTR_OUTCOME,
  ATTR_POLICY_NAME,
  EVENT_BREAKER_TRANSITION,
  METRIC_BREAKER_TRANSITIONS,
  METRIC_CALLS,
  METRIC_REJECTIONS,
} from '../../src/signals/semconv.ts';
import type { DemoResult } from './demo-process.ts';
import { alive, startDemo } from './demo-process.ts';
import type { Span } from './otlp-lines.ts';
import { attribute, finalSums, readLogs, readSpans, readSums } from './otlp-lines.ts';

const home = join(mkdtempSync(join(tmpdir(), 'keelson-demo-')), 'home');
let result: DemoResult;
let summary: Summary;

beforeAll(async () => {
  result = await startDemo('--for', '12s', '--json', '--seed', '7', '--home', home).result;
  summary = JSON.parse(result.stdout) as Summary;
}, 60_000);

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((a, b) => a + b, 0);
const withoutZeros = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

describe('a run of 12 seconds', () => {
  test('ends with exit code 0, within seconds of its time, with every process gone', () => {
    expect({ exit: result.exit, stderr: result.stderr }).toEqual({ exit: 0, stderr: '' });
    expect(summary.durationMs).toBeGreaterThanOrEqual(12_000);
    expect(summary.durationMs).toBeLessThan(20_000);
    const pids = (summary.processes as readonly { pid: number }[]).map(({ pid }) => pid);
    expect(pids).toHaveLength(5);
    expect(alive(pids)).toEqual([]);
  });

  test('has calls of every outcome, retries, and rejections by breaker and bulkhead', () => {
    expect(Object.keys(withoutZeros(summary.calls)).toSorted()).toEqual([
      'cancelled',
      'failure',
      'rejected',
      'success',
      'timeout',
    ]);
    expect(summary.retries).toBeGreaterThan(0);
    expect(summary.rejections).toMatchObject({ breaker: expect.any(Number), bulkhead: expect.any(Number) });
    expect(withoutZeros(summary.rejections)).toHaveProperty('breaker');
    expect(withoutZeros(summary.rejections)).toHaveProperty('bulkhead');
  });

  test('opens the breaker of payments and closes it again', () => {
    const { breakerTransitions, transitions } = summary;
    expect(breakerTransitions['open']).toBeGreaterThan(0);
    expect(breakerTransitions['half_open']).toBeGreaterThan(0);
    expect(breakerTransitions['closed']).toBeGreaterThan(0);
    expect(transitions.filter(({ guard }) => guard === 'payments').at(-1)).toMatchObject({ to: 'closed' });
    expect(transitions).toHaveLength(sum(breakerTransitions));
  });

  test('goes through its phases in their order', () => {
    const phases = summary.phases as readonly { name: string; startedAt: number }[];
    expect(phases.map(({ name }) => name)).toEqual(['healthy', 'slow', 'failing', 'down', 'recovering']);
    const starts = phases.map(({ startedAt }) => startedAt);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });

  test('adds up: guards to the whole, attempts to calls and retries', () => {
    const guards = Object.values(summary.guards) as readonly {
      calls: Record<string, number>;
      attempts: number;
      retries: number;
      origins: { cache: number; stale: number };
      cache?: { requests: { coalesced: number } };
    }[];
    expect(Object.keys(summary.guards)).toEqual(['inventory', 'payments', 'shipping']);
    expect(sum(summary.calls)).toBe(guards.reduce((total, { calls }) => total + sum(calls), 0));
    expect(summary.attempts).toBe(guards.reduce((total, { attempts }) => total + attempts, 0));
    for (const { calls, attempts, retries, origins, cache } of guards) {
      const { cancelled = 0, rejected = 0 } = calls;
      const shared = cache?.requests.coalesced ?? 0;
      const ran = sum(calls) - rejected - origins.cache - origins.stale;
      // A call that was cancelled in the queue never ran, one that joined another did not run itself, and one that got a stale value may have.
      expect(attempts).toBeGreaterThanOrEqual(ran - cancelled - shared);
      expect(attempts).toBeLessThanOrEqual(ran + retries + origins.stale);
    }
  });

  test('answers from the cache while payments is well, and with an old value while it is not', () => {
    const { origins } =
      (summary.guards as Record<string, { origins: Record<string, number> }>)['payments'] ?? {};
    expect(origins?.['cache']).toBeGreaterThan(0);
    expect(origins?.['stale']).toBeGreaterThan(0);
  });

  test('has nothing to warn of', () => {
    expect(summary.warnings).toEqual([]);
  });

  test('has latencies that grow with their percentile', () => {
    const { p50, p95, p99, max } = summary.latency;
    expect(p50).toBeGreaterThan(0);
    expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].toSorted((a, b) => a - b));
  });
});

describe('its telemetry', () => {
  test('lies below the home, with records of every signal', () => {
    const { folder, records } = summary.telemetry;
    expect(folder).toBe(join(home, 'telemetry'));
    expect(existsSync(folder)).toBe(true);
    expect(records.traces).toBe(readSpans(folder).length);
    expect(records.traces).toBeGreaterThan(100);
    expect(records.metrics).toBeGreaterThan(100);
    expect(records.logs).toBe(readLogs(folder).length);
  });

  test('counts in its metrics what the guards counted', () => {
    const points = readSums(summary.telemetry.folder);
    expect(finalSums(points, METRIC_CALLS.name, ATTR_OUTCOME)).toEqual(summary.calls);
    expect(withoutZeros(finalSums(points, METRIC_REJECTIONS.name, ATTR_POLICY_NAME))).toEqual(
      withoutZeros(summary.rejections),
    );
    expect(withoutZeros(finalSums(points, METRIC_BREAKER_TRANSITIONS.name, ATTR_BREAKER_TO))).toEqual(
      withoutZeros(summary.breakerTransitions),
    );
  });

  test('has a log event for each change of a breaker, in the trace of the call that caused it', () => {
    const events = readLogs(summary.telemetry.folder).filter(
      ({ eventName }) => eventName === EVENT_BREAKER_TRANSITION,
    );
    expect(events).toHaveLength(summary.transitions.length);
    expect(events.filter(({ traceId }) => traceId === undefined || traceId === '')).toEqual([]);
  });

  test('has a trace that crosses the processes, with a retried payment in it', () => {
    const spans = readSpans(summary.telemetry.folder);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const rootOf = (span: Span): Span => {
      const parent = byId.get(span.parentSpanId ?? '');
      return parent ? rootOf(parent) : span;
    };
    const trips = spans
      .filter(({ name, service }) => name === 'payments charge' && service === 'storefront')
      .map((call) => ({
        call,
        attempts: spans.filter(
          ({ parentSpanId, name }) => parentSpanId === call.spanId && name.endsWith('attempt'),
        ),
        charged: spans.filter(({ service, traceId }) => service === 'payments' && traceId === call.traceId),
      }));
    const retried = trips.find(({ attempts, charged }) => attempts.length > 1 && charged.length > 1);
    expect(retried, 'a payment that was retried and reached the other process').toBeDefined();
    if (!retried) return;
    const { call, attempts, charged } = retried;
    expect(attribute(call, ATTR_OUTCOME)).toBeDefined();
    // The later attempt links to the one before.
    expect(attempts.flatMap(({ links = [] }) => links.map(({ spanId }) => spanId))).toContain(
      attempts[0]?.spanId,
    );
    for (const span of [...attempts, ...charged]) {
      expect(rootOf(span)).toMatchObject({
        service: 'storefront',
        traceId: call.traceId,
        spanId: rootOf(call).spanId,
      });
    }
  });
});
