import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitRequest } from '../../../../src/telemetry/otlp/split-request.ts';
import type { Signal } from '../../../../src/telemetry/semconv.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const split = (signal: Signal, value: unknown): unknown =>
  splitRequest(signal, bytes(value))?.map(({ body, items }) => ({
    items,
    body: JSON.parse(Buffer.from(body).toString()),
  }));

describe('a request that is too large', () => {
  test('is split by its spans, with resource and scope around both halves', () => {
    const request = {
      resourceSpans: [
        {
          resource: { r: 1 },
          scopeSpans: [{ scope: { s: 1 }, spans: [{ n: 1 }, { n: 2 }] }],
          schemaUrl: 'u',
        },
        { resource: { r: 2 }, scopeSpans: [{ scope: { s: 2 }, spans: [{ n: 3 }] }] },
      ],
    };
    expect(split('traces', request)).toEqual([
      {
        items: 2,
        body: {
          resourceSpans: [
            {
              resource: { r: 1 },
              scopeSpans: [{ scope: { s: 1 }, spans: [{ n: 1 }, { n: 2 }] }],
              schemaUrl: 'u',
            },
          ],
        },
      },
      {
        items: 1,
        body: {
          resourceSpans: [{ resource: { r: 2 }, scopeSpans: [{ scope: { s: 2 }, spans: [{ n: 3 }] }] }],
        },
      },
    ]);
  });

  test('is split by the points of a metric', () => {
    const metric = (...points: number[]): object => ({
      name: 'm',
      sum: { isMonotonic: true, dataPoints: points.map((n) => ({ n })) },
    });
    const request = (...points: number[]): object => ({
      resourceMetrics: [{ scopeMetrics: [{ metrics: [metric(...points)] }] }],
    });
    expect(split('metrics', request(1, 2, 3))).toEqual([
      { items: 2, body: request(1, 2) },
      { items: 1, body: request(3) },
    ]);
  });

  test.each([
    ['one item', { resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] }],
    ['another signal', { resourceSpans: [{ scopeSpans: [{ spans: [{}, {}] }] }] }],
    ['nothing', {}],
    ['a list', []],
  ])('is left whole where it has %s', (_, request) => {
    expect(splitRequest('logs', bytes(request))).toBeUndefined();
  });

  test('is left whole where it is not JSON', () => {
    expect(splitRequest('logs', Buffer.from('{'))).toBeUndefined();
  });

  test('loses and doubles nothing, whatever its shape', () => {
    const shape = fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shape, (resources) => {
        let n = 0;
        const request = {
          resourceLogs: resources.map((scopes) => ({
            scopeLogs: scopes.map((count) => ({
              logRecords: Array.from({ length: count }, () => ({ n: n++ })),
            })),
          })),
        };
        const halves = splitRequest('logs', bytes(request)) ?? [{ body: bytes(request), items: n }];
        const found = halves.flatMap(({ body }) =>
          [
            ...Buffer.from(body)
              .toString()
              .matchAll(/"n":(\d+)/g),
          ].map(([, each]) => Number(each)),
        );
        expect(found).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(halves.map(({ items }) => items).reduce((a, b) => a + b)).toBe(n);
      }),
    );
  });
});
