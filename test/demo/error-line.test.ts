import { expect, test } from 'vitest';
import { errorLine } from '../../examples/demo/error-line.ts';

test('an event line shows what an error says and what its cause says, one line of each', () => {
  const refused = new Error('connect ECONNREFUSED 127.0.0.1:8081\nat somewhere');
  expect(errorLine(new TypeError('fetch failed', { cause: refused }))).toBe(
    'fetch failed: connect ECONNREFUSED 127.0.0.1:8081',
  );
  expect(errorLine(new Error('timeout'))).toBe('timeout');
  expect(errorLine('a string')).toBe('a string');
});

test('of several causes without a message the first one speaks', () => {
  const cause = new AggregateError([new Error('connect ECONNREFUSED ::1:8081'), new Error('other')]);
  expect(errorLine(new TypeError('fetch failed', { cause }))).toBe(
    'fetch failed: connect ECONNREFUSED ::1:8081',
  );
});
