import { describe, expect, test } from 'vitest';
import { judgeAnswer } from '../../../../../src/telemetry/otlp/http/answer.ts';
import type { OtlpAnswer, SendResult } from '../../../../../src/telemetry/otlp/http/answer.ts';

const NOW = Date.UTC(2026, 10, 22);
const judge = (answer: Partial<OtlpAnswer>): SendResult =>
  judgeAnswer(
    {
      status: 200,
      contentType: 'application/json',
      retryAfter: undefined,
      text: '{}',
      isWhole: true,
      ...answer,
    },
    NOW,
  );
const TAKEN: SendResult = { status: 'taken', refused: 0, detail: undefined };

describe('the answer of a receiver', () => {
  test.each([
    ['an empty object', {}],
    ['nothing at all', { status: 204, text: '', contentType: undefined }],
    ['blanks', { text: ' \n' }],
    ['its native form', { contentType: 'application/x-protobuf', text: '\n\u0000' }],
    ['JSON that is too long to be read', { text: '{"a":"', isWhole: false }],
    ['an empty partial success', { text: '{"partialSuccess":{}}' }],
  ])('says that all was taken with %s', (_, answer) => {
    expect(judge(answer)).toEqual(TAKEN);
  });

  test.each([
    ['rejectedSpans', '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}'],
    ['rejectedDataPoints', '{"partialSuccess":{"rejectedDataPoints":3,"errorMessage":"too old"}}'],
    ['rejectedLogRecords', '{"partialSuccess":{"rejectedLogRecords":3,"errorMessage":"too old"}}'],
  ])('says how many were refused in %s', (_, text) => {
    expect(judge({ text })).toEqual({ status: 'taken', refused: 3, detail: 'too old' });
  });

  test.each(['-1', '1.5', '"x"', 'null'])('does not believe a count of %s', (count) => {
    expect(judge({ text: `{"partialSuccess":{"rejectedSpans":${count}}}` })).toEqual(TAKEN);
  });

  test.each([408, 429, 502, 503, 504])('asks to try again with %i', (status) => {
    expect(judge({ status, retryAfter: '7' })).toEqual({
      status: 'later',
      reason: 'unavailable',
      detail: `HTTP ${status}`,
      code: status,
      retryAfterMs: 7_000,
    });
  });

  test.each([
    ['a date', new Date(NOW + 5_000).toUTCString(), 5_000],
    ['a date that is over', new Date(NOW - 5_000).toUTCString(), 0],
    ['nonsense', 'soon', undefined],
    ['a negative number', '-1', undefined],
  ])('reads a Retry-After that is %s', (_, retryAfter, retryAfterMs) => {
    expect(judge({ status: 503, retryAfter })).toMatchObject({ retryAfterMs });
  });

  test.each([301, 302, 307, 401, 403, 404, 405, 407, 415, 501])(
    'says with %i that the endpoint is wrong',
    (status) => {
      expect(judge({ status })).toMatchObject({
        status: 'later',
        reason: 'refused',
        detail: `HTTP ${status}`,
      });
    },
  );

  test.each([
    ['a page', 'text/html', '<html><style>a{}</style><title>Sign in</title> here</html>', 'Sign in here'],
    ['a page without a type', undefined, '\n<!doctype html><p>Sign in</p>', 'Sign in'],
    [
      'what calls itself a page',
      'text/html; charset=utf-8',
      'Sign in, password=hunter2',
      'password=[redacted]',
    ],
  ])('says with %s that no receiver is there, and what it says', (_, contentType, text, words) => {
    const result = judge({ contentType, text });
    expect(result).toMatchObject({ status: 'later', reason: 'refused' });
    expect(result).toHaveProperty(
      'detail',
      expect.stringContaining(`HTTP 200 with a page that is no OTLP answer: "`),
    );
    expect(result).toHaveProperty('detail', expect.stringContaining(words));
    expect(JSON.stringify(result)).not.toMatch(/hunter2|</);
  });

  test.each([
    ['a greeting', 'text/plain', 'OK', 'HTTP 200 with text/plain that is no OTLP answer: "OK"'],
    ['half an answer', 'application/json', '{"partialSuccess":', 'application/json'],
    ['a list', undefined, '[]', 'HTTP 200 with a body that is no OTLP answer'],
    ['a text', 'application/json', '"success"', '"success"'],
  ])(
    'with %s is a success all the same, as the specification asks, and is told',
    (_, contentType, text, odd) => {
      expect(judge({ contentType, text })).toEqual({ ...TAKEN, odd: expect.stringContaining(odd) });
    },
  );

  test('is quoted in short, with its control characters taken out', () => {
    const text = `no \u001b[2Jsuch\u2028page ${'x'.repeat(500)}`;
    expect(judge({ status: 404, text })).toMatchObject({
      detail: `HTTP 404: "no [2Jsuch page ${'x'.repeat(64)}..."`,
    });
  });

  test('says that a batch is too large, or wrong', () => {
    expect(judge({ status: 413, text: 'limit' })).toEqual({
      status: 'too_large',
      code: 413,
      answer: 'limit',
    });
    for (const status of [400, 422, 431, 500]) {
      expect(judge({ status, text: 'why' })).toEqual({ status: 'rejected', code: status, answer: 'why' });
    }
  });

  test('says that a batch is too large where a Collector answers 400 to one above its limit', () => {
    const text = '{"code":3,"message":"http: request body too large"}';
    expect(judge({ status: 400, text })).toEqual({ status: 'too_large', code: 400, answer: text });
    expect(judge({ status: 422, text })).toMatchObject({ status: 'rejected' });
  });
});
