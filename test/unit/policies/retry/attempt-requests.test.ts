import { describe, expect, test } from 'vitest';
import { AttemptRequests } from '../../../../src/policies/retry/attempt-requests.ts';

const TURN = 7;
const refused = new Error('refused');

/** The turn in which connections fail. */
const LATER = 9;

/** An attempt with one request, which got no connection. */
function refusedOnce(before?: AttemptRequests, around?: AttemptRequests): AttemptRequests {
  const requests = new AttemptRequests(TURN, before, around);
  requests.began(TURN);
  requests.failed(refused, LATER);
  return requests;
}

/** Whether the attempt surely sent nothing, if it now ends with `error`. */
function endsUnsent(requests: AttemptRequests, error: unknown, turn: number = LATER): boolean {
  requests.ended(error, turn);
  return requests.sentNothing;
}

/** `error` under so many others. */
function under(depth: number, error: unknown): unknown {
  let outermost = error;
  for (let level = 0; level < depth; level += 1) outermost = new Error('wrapped', { cause: outermost });
  return outermost;
}

describe('an attempt surely sent nothing', () => {
  test('if its one request got no connection and the error of the request ended it', () => {
    expect(endsUnsent(refusedOnce(), refused)).toBe(true);
  });

  test('if that error is the cause of the one that ended it, up to five errors deep', () => {
    expect([1, 5, 6].map((depth) => endsUnsent(refusedOnce(), under(depth, refused)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('if that holds for the attempt before as well', () => {
    expect(endsUnsent(refusedOnce(refusedOnce(refusedOnce())), refused)).toBe(true);
  });
});

describe('an attempt is in doubt', () => {
  test('without a request', () => {
    expect(endsUnsent(new AttemptRequests(TURN), refused)).toBe(false);
  });

  test('with a request that has not failed', () => {
    const requests = new AttemptRequests(TURN);
    requests.began(TURN);
    expect([endsUnsent(requests, refused), endsUnsent(requests, undefined)]).toEqual([false, false]);
  });

  test('with a second request, although that failed too', () => {
    const requests = refusedOnce();
    requests.began(TURN);
    requests.failed(refused, LATER);
    expect(endsUnsent(requests, refused)).toBe(false);
  });

  test.each([
    ['a later turn', TURN, TURN + 1],
    ['an unknown turn', TURN, Number.NaN],
    ['a turn that is as unknown as that of the attempt', Number.NaN, Number.NaN],
  ])('if the request began in %s of the event loop', (_, attemptTurn, requestTurn) => {
    const requests = new AttemptRequests(attemptTurn);
    requests.began(requestTurn);
    requests.failed(refused, LATER);
    expect(endsUnsent(requests, refused)).toBe(false);
  });

  test.each([
    ['a later turn', LATER, LATER + 1],
    ['an unknown turn', LATER, Number.NaN],
    ['a turn that is as unknown as that of the failure', Number.NaN, Number.NaN],
  ])('if it ended in %s of the event loop than its request', (_, failureTurn, endTurn) => {
    const requests = new AttemptRequests(TURN);
    requests.began(TURN);
    requests.failed(refused, failureTurn);
    expect(endsUnsent(requests, refused, endTurn)).toBe(false);
  });

  test('if it has not ended', () => {
    expect(refusedOnce().sentNothing).toBe(false);
  });

  test('if something is sent after its end', () => {
    const requests = refusedOnce();
    const before = endsUnsent(requests, refused);
    requests.began(LATER);
    expect([before, requests.sentNothing]).toEqual([true, false]);
  });

  test('if there was a connection, before the request failed or after', () => {
    const before = new AttemptRequests(TURN);
    before.began(TURN);
    before.connected();
    before.failed(refused, LATER);
    const after = refusedOnce();
    after.connected();
    expect([endsUnsent(before, refused), endsUnsent(after, refused)]).toEqual([false, false]);
  });

  test.each([
    ['another that looks the same', new Error('refused')],
    ['one with parts, of which it is one', new AggregateError([refused])],
    ['a text', 'refused'],
    ['nothing', undefined],
  ])('if it ended with another error than that of the request: %s', (_, error) => {
    expect(endsUnsent(refusedOnce(), error)).toBe(false);
  });

  test('if the request failed with a value that is no object', () => {
    const requests = new AttemptRequests(TURN);
    requests.began(TURN);
    requests.failed('refused', LATER);
    expect(endsUnsent(requests, 'refused')).toBe(false);
  });

  test('if the causes go round in a circle, or cannot be read', () => {
    const circle = new Error('circle');
    circle.cause = circle;
    const unreadable = {
      get cause(): never {
        throw new Error('no');
      },
    };
    expect(endsUnsent(refusedOnce(), circle)).toBe(false);
    expect(endsUnsent(refusedOnce(), unreadable)).toBe(false);
  });

  test('if code of an attempt before it has sent something meanwhile', () => {
    const first = refusedOnce();
    const third = refusedOnce(refusedOnce(first));
    first.began(TURN + 3);
    expect([endsUnsent(first, refused), endsUnsent(third, refused)]).toEqual([false, false]);
  });
});

describe('an attempt around another', () => {
  test('sees what that one does', () => {
    const around = new AttemptRequests(TURN);
    refusedOnce(undefined, around);
    expect(endsUnsent(around, refused)).toBe(true);
  });

  test('is in doubt if that one is repeated, or had a connection', () => {
    const repeated = new AttemptRequests(TURN);
    refusedOnce(refusedOnce(undefined, repeated), repeated);
    const connected = new AttemptRequests(TURN);
    refusedOnce(undefined, connected).connected();
    expect([endsUnsent(repeated, refused), endsUnsent(connected, refused)]).toEqual([false, false]);
  });
});
