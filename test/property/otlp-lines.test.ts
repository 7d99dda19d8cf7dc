import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countOf, itemsOf, parseLine, timeOf, withItems } from '../../src/telemetry/otlp/read/request.ts';
import { shapeProblems } from '../../src/telemetry/otlp/read/shape-problems.ts';
import type { JsonObject } from '../../src/telemetry/otlp/shape.ts';
import type { Signal } from '../../src/telemetry/semconv.ts';

const nanoseconds = fc.integer({ min: 1, max: 1e6 }).map((ms) => `${ms}000000`);
const span = fc.record({ endTimeUnixNano: nanoseconds, name: fc.string() });
const point = fc.record({ timeUnixNano: nanoseconds, asInt: fc.integer() });
const metric = fc
  .tuple(fc.constantFrom('gauge', 'sum', 'histogram'), fc.array(point, { maxLength: 4 }))
  .map(([type, dataPoints]) => ({ name: 'm', [type]: { dataPoints } }));
const nested = (
  resources: string,
  scopes: string,
  items: string,
  item: fc.Arbitrary<object>,
): fc.Arbitrary<object> =>
  fc.array(fc.array(fc.array(item, { maxLength: 4 }), { maxLength: 3 }), { maxLength: 3 }).map((tree) => ({
    [resources]: tree.map((inner) => ({
      resource: {},
      [scopes]: inner.map((list) => ({ scope: { name: 's' }, [items]: list })),
    })),
  }));
const request: fc.Arbitrary<{ readonly signal: Signal; readonly body: JsonObject }> = fc.oneof(
  nested('resourceSpans', 'scopeSpans', 'spans', span).map((body) => ({
    signal: 'traces' as const,
    body: { ...body },
  })),
  nested('resourceMetrics', 'scopeMetrics', 'metrics', metric).map((body) => ({
    signal: 'metrics' as const,
    body: { ...body },
  })),
);

describe('requests of OTLP', () => {
  test('cut by time hold exactly the items of that time, in their order, and nothing that is empty', () => {
    fc.assert(
      fc.property(request, fc.integer({ min: 0, max: 1_000_001 }), ({ signal, body }, limit) => {
        const keep = (item: JsonObject): boolean => (timeOf(item) ?? 0) >= limit;
        const own = (from: JsonObject): readonly JsonObject[] =>
          Array.from(itemsOf(signal, from), ({ entry, point }) => point ?? entry);
        const kept = withItems(signal, body, keep);
        expect(kept ? own(kept) : []).toEqual(own(body).filter(keep));
        expect(JSON.stringify(kept ?? {})).not.toMatch(/"(?:scope\w+|spans|metrics|dataPoints)":\[\]/);
      }),
    );
  });

  test('of which everything is kept are the same, less what was empty', () => {
    fc.assert(
      fc.property(request, ({ signal, body }) => {
        const all = withItems(signal, body, () => true);
        expect(all ? countOf(signal, all) : 0).toBe(countOf(signal, body));
        expect(all ? withItems(signal, all, () => true) : undefined).toEqual(all);
      }),
    );
  });

  test('that are written again keep integers of 64 bits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (integer) => {
        const line = `{"resourceSpans":[{"n":${integer},"s":"${integer}","d":0.1}]}`;
        const parsed = parseLine(Buffer.from(line), true);
        expect('body' in parsed && JSON.stringify(parsed.body)).toBe(line);
      }),
    );
  });

  test('whatever bytes a line has, it is a request or has a problem, and nothing throws', () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(`{"resourceSpans":${text}}`));
    const bytes = fc.uint8Array({ maxLength: 64 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(fc.oneof(json, bytes), (line) => {
        const parsed = parseLine(line);
        const found =
          parsed.signal === undefined ? [parsed.problem] : shapeProblems(parsed.signal, parsed.body);
        expect(found.every((problem) => problem !== '')).toBe(true);
      }),
    );
  });
});
