import { describe, expect, test } from 'vitest';
import { metricsIn, readingOf, unknownNames } from './promql.ts';

describe('the reader of PromQL', () => {
  test.each([
    ['sum by (a, b) (rate(calls_total{a="x",c=~"y|z"}[5m]))', ['calls_total']],
    [
      'sum(rate(calls_total[$__rate_interval])) by (a) / on (a) group_left (b) limits',
      ['calls_total', 'limits'],
    ],
    ['rate({__name__=~"sent_(spans|logs)_total",job="x"}[5m])', ['sent_spans_total', 'sent_logs_total']],
    ['a:b:rate5m{slo="x"} > 14.4 * 0.005 and up unless absent(up)', ['a:b:rate5m', 'up', 'up']],
    ['histogram_quantile(0.95, sum by (le) (rate(d_bucket[5m]))) or vector(0)', ['d_bucket']],
    ['predict_linear(disk[6h], 24 * 3600) >= 1', ['disk']],
    ['label{a="keelson_calls_total by (x)"}', ['label']],
  ])('finds the series of %s', (expr, names) => {
    expect(metricsIn(expr)).toEqual(names);
  });

  test('finds the labels by which series are chosen and grouped', () => {
    const { selectors, grouping } = readingOf('sum by (a, b) (x{c="1",d!~"2"}) / on (e) group_left (f) y');
    expect(selectors).toEqual([
      { names: ['x'], labels: ['c', 'd'] },
      { names: ['y'], labels: [] },
    ]);
    expect(grouping).toEqual(['a', 'b', 'e', 'f']);
  });

  test('tells what is inside a rate from what is not', () => {
    expect([...readingOf('sum(rate(a_total[5m])) + (b_total) + increase(c_total{x="1"}[5m])').rated]).toEqual(
      ['a_total', 'c_total'],
    );
  });

  const known = new Map([
    ['calls_total', new Set(['guard', 'outcome'])],
    ['up', new Set(['job'])],
  ]);

  test.each([
    ['sum by (guard) (rate(calls_total{outcome="x"}[5m]))', []],
    ['sum by (guard) (rate(call_total[5m]))', ['call_total']],
    ['sum by (kind) (label_replace(rate(calls_total[5m]), "kind", "a", "", ""))', []],
    ['calls_total{outcom="x"}', ['outcom']],
    ['sum by (gard) (calls_total)', ['gard']],
    ['up{guard="x"} and on (guard) calls_total', ['guard']],
  ])('reports what does not exist in %s', (expr, names) => {
    expect(unknownNames(expr, known)).toEqual(names);
  });
});
