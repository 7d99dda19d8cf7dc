import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Telemetry } from '../../src/telemetry/index.ts';
import { ARRIVAL_MS, shownSamples } from './support/backend-queries.ts';
import { complaint, queriesShownBy } from './support/dashboard-queries.ts';
import { ownTelemetry } from './support/own-telemetry.ts';
import { RefusingProxy } from './support/refusing-proxy.ts';
import { Stack } from './support/stack.ts';
import { allStored } from './support/steady-load.ts';

let stack: Stack;
let proxy: RefusingProxy;
let telemetry: Telemetry;
let home: string;

beforeAll(async () => {
  stack = await Stack.start();
  proxy = await RefusingProxy.start(stack.otlp);
  home = join(stack.folder, 'refused');
  telemetry = ownTelemetry('refused', home, proxy.url, { writeWarning: () => undefined });
});

afterAll(async () => {
  await telemetry?.shutdown();
  await proxy?.close();
  await stack?.stop();
});

/** Makes spans of one trace in one turn. @returns the trace's id */
function makeSpans(count: number, name: string): string {
  const tracer = trace.getTracer('refusals');
  const root = tracer.startSpan(name, {}, ROOT_CONTEXT);
  const parent = trace.setSpan(ROOT_CONTEXT, root);
  for (let made = 1; made < count; made += 1) tracer.startSpan(name, {}, parent).end();
  root.end();
  return root.spanContext().traceId;
}

test('a batch that the receiver has no time for comes again, once', async () => {
  proxy.refuseNext({ status: 429, headers: { 'retry-after': '1' } });
  const traceId = makeSpans(20, 'busy');
  await allStored(stack, new Map([[traceId, 20]]), ARRIVAL_MS);
  expect(proxy.refusals).toEqual([429]);
  expect(proxy.requests).toBe(2);
  expect(telemetry.stats().traces.dropped.rejected).toBe(0);
});

test('a batch that is too large is split until it is not', async () => {
  proxy.spansAtMost = 50;
  const traceId = makeSpans(300, 'large');
  const { spans, again } = await allStored(stack, new Map([[traceId, 300]]), ARRIVAL_MS);
  expect({ spans, again }).toEqual({ spans: 300, again: 0 });
  expect(proxy.refusals.filter((status) => status === 413).length).toBeGreaterThan(0);
  proxy.spansAtMost = Number.POSITIVE_INFINITY;
  expect(telemetry.stats().traces.dropped.rejected).toBe(0);
});

test('a batch that the receiver refuses for good is set aside with the answer, and the next goes on', async () => {
  await telemetry.forceFlush();
  proxy.refuseNext({ status: 400, body: '{"message":"no such field: `poison`"}' });
  const poison = makeSpans(7, 'poison');
  await telemetry.forceFlush();
  const traceId = makeSpans(5, 'after the poison');
  await allStored(stack, new Map([[traceId, 5]]), ARRIVAL_MS);
  expect(telemetry.stats().traces.dropped.rejected).toBe(7);
  const folder = join(home, 'telemetry', 'rejected', 'traces');
  const files = readdirSync(folder);
  const [line] = files.filter((file) => file.endsWith('.jsonl'));
  const [record] = files.filter((file) => file.endsWith('.json'));
  expect(files).toHaveLength(2);
  expect(readFileSync(join(folder, line ?? ''), 'utf8')).toContain(poison);
  expect(JSON.parse(readFileSync(join(folder, record ?? ''), 'utf8'))).toMatchObject({
    version: 1,
    reason: 'rejected',
    status: 400,
    items: 7,
  });
  expect(readFileSync(join(folder, record ?? ''), 'utf8')).toContain('no such field');
});

test.each(queriesShownBy('refusals.test.ts'))('the dashboard shows it: $where', async ({ where, expr }) => {
  expect(complaint(where, await shownSamples(stack, expr))).toBeUndefined();
});
