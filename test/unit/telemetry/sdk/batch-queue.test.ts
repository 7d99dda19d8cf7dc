import { context, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, isTracingSuppressed } from '@opentelemetry/core';
import type { ExportResult } from '@opentelemetry/core';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BatchQueue, spanProcessor } from '../../../../src/telemetry/sdk/batch-queue.ts';
import type { BatchExporter } from '../../../../src/telemetry/sdk/batch-queue.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';

const SETTINGS = { maxExportBatchSize: 3, scheduledDelayMillis: 1_000 };

class Caught<T> implements BatchExporter<T> {
  readonly batches: (readonly T[])[] = [];
  suppressed = true;
  throws = false;

  export(batch: T[], done: (result: ExportResult) => void): void {
    if (this.throws) throw new Error('broken exporter');
    this.suppressed &&= isTracingSuppressed(context.active());
    this.batches.push(batch);
    done({ code: ExportResultCode.SUCCESS });
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

interface World<T> {
  readonly queue: BatchQueue<T>;
  readonly exporter: Caught<T>;
  readonly clock: FakeClock;
  readonly lost: number[];
}

function world<T>(): World<T> {
  const exporter = new Caught<T>();
  const clock = new FakeClock();
  const lost: number[] = [];
  const onLost = (items: number): number => lost.push(items);
  return { queue: new BatchQueue<T>({ exporter, settings: SETTINGS, clock, onLost }), exporter, clock, lost };
}

describe('the queue in front of the journal', () => {
  beforeAll(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => context.disable());

  test('hands a full batch on within the call that filled it, untraced', () => {
    const { queue, exporter } = world<number>();
    for (let i = 0; i < 7; i += 1) queue.add(i);
    expect(exporter.batches).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(exporter.suppressed).toBe(true);
  });

  test('hands on what is old enough, with a timer that keeps no process alive', async () => {
    const { queue, exporter, clock } = world<number>();
    queue.add(1);
    await clock.advance(999);
    expect(exporter.batches).toEqual([]);
    await clock.advance(1);
    expect(exporter.batches).toEqual([[1]]);
  });

  test('has nothing left when drain returns, and hands each item on by itself after drainForGood', () => {
    const { queue, exporter } = world<number>();
    queue.add(1);
    queue.drain();
    queue.add(2);
    queue.drainForGood();
    queue.add(3);
    expect(exporter.batches).toEqual([[1], [2], [3]]);
  });

  test('collects again where the process goes on after drainForGood', async () => {
    const { queue, exporter, clock } = world<number>();
    queue.drainForGood();
    await clock.advance(1_000);
    queue.add(1);
    queue.add(2);
    expect(exporter.batches).toEqual([]);
    await clock.advance(1_000);
    expect(exporter.batches).toEqual([[1, 2]]);
  });

  test('counts what an exporter throws at, and what comes after the shutdown', async () => {
    const { queue, exporter, lost } = world<number>();
    exporter.throws = true;
    expect(() => [1, 2, 3].forEach((item) => queue.add(item))).not.toThrow();
    expect(lost).toEqual([3]);
    await queue.shutdown();
    queue.add(4);
    expect(lost).toEqual([3, 1]);
  });

  test('takes sampled spans only', () => {
    const { queue, exporter } = world<ReadableSpan>();
    const processor = spanProcessor(queue);
    const span = new TracerProvider({ spanProcessors: [processor] }).getTracer('t').startSpan('s');
    span.end();
    const { traceId, spanId } = span.spanContext();
    const unsampled = { traceId, spanId, traceFlags: TraceFlags.NONE };
    processor.onEnd({ ...(span as unknown as ReadableSpan), spanContext: () => unsampled });
    queue.drain();
    expect(exporter.batches).toHaveLength(1);
    expect(exporter.batches[0]).toHaveLength(1);
  });
});
