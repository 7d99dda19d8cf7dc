import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { breakerDefaults } from '../../src/policies/breaker/options.ts';
import { bulkheadDefaults } from '../../src/policies/bulkhead/options.ts';
import { rateLimitDefaults } from '../../src/policies/rate-limit/options.ts';
import { retryDefaults } from '../../src/policies/retry/options.ts';
import { GUARD_METRICS, METRIC_CALLS } from '../../src/signals/semconv.ts';
import { linkProblems, metricTableProblems, optionTableProblems, snippetProblems } from './docs.ts';

const read = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, 'utf8') : undefined;
const pages = globSync('{*.md,{src,collector,dashboards,docs,examples,test,bench}/**/*.md}').filter(
  (file) => !file.includes('node_modules') && !file.includes('fixtures'),
);

describe.each(pages)('the page %s', (file) => {
  const page = readFileSync(file, 'utf8');

  test('has snippets that are the examples', () => {
    expect(snippetProblems(page, read)).toEqual([]);
  });

  test('has links that lead somewhere', () => {
    expect(linkProblems(page, file)).toEqual([]);
  });
});

test("the table of metrics is that of semconv.ts, and a policy's options have the defaults of its code", () => {
  expect(metricTableProblems(read('src/signals/README.md') ?? '', GUARD_METRICS)).toEqual([]);
  const { delayMs: _delayMs, maxDelayMs: _maxDelayMs, ...retryShown } = retryDefaults;
  const retry = { ...retryShown, backoff: undefined, retryIf: undefined, budget: undefined };
  const { openForMs: _openForMs, maxOpenForMs: _maxOpenForMs, ...breakerShown } = breakerDefaults;
  const breaker = {
    ...breakerShown,
    failureRate: undefined,
    slowCallRate: undefined,
    slowCall: undefined,
    strategy: undefined,
    halfOpenWait: undefined,
    ramp: undefined,
    failureIf: undefined,
  };
  const rateLimit = {
    ...rateLimitDefaults,
    limit: undefined,
    per: undefined,
    burst: undefined,
    store: undefined,
  };
  const options = {
    retry,
    breaker,
    'rate-limit': rateLimit,
    bulkhead: { ...bulkheadDefaults, queueTimeout: undefined },
  };
  for (const [policy, defaults] of Object.entries(options)) {
    expect(optionTableProblems(read(`src/policies/${policy}/README.md`) ?? '', defaults)).toEqual([]);
  }
  const timeout = { attempt: undefined, total: undefined };
  expect(optionTableProblems(read('src/policies/timeout/README.md') ?? '', timeout)).toEqual([]);
});

describe('the checks of the documentation report', () => {
  test('a snippet that differs, and one whose file is gone', () => {
    const page = '<!-- from a.ts -->\n```ts\nlet a = 1;\n```\n<!-- from b.ts -->\n```ts\nlet b;\n```\n';
    expect(snippetProblems(page, (file) => (file === 'a.ts' ? 'let a = 2;' : undefined))).toEqual([
      'the snippet differs from a.ts',
      'b.ts does not exist',
    ]);
  });

  test('a link that leads nowhere', () => {
    const page = '[a](a.md) [b](b.md#part) [web](https://example.com/x)';
    expect(linkProblems(page, 'docs/page.md', (path) => path === 'docs/a.md')).toEqual([
      'docs/page.md links to b.md, which does not exist',
    ]);
  });

  test('a metric or an option whose row is missing or wrong', () => {
    expect(metricTableProblems('| `keelson.calls` | gauge |\n', [METRIC_CALLS])).toHaveLength(1);
    expect(optionTableProblems('| `retries` | `5` |', { retries: 3 })).toEqual([
      'missing row: | `retries` | `3` |',
    ]);
    expect(optionTableProblems('', { retryIf: undefined })).toHaveLength(1);
  });
});
