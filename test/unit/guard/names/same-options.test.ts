import { runInNewContext, runInThisContext } from 'node:vm';
import { ConsecutiveBreaker, ConstantBackoff, ExponentialBackoff } from 'cockatiel';
import { describe, expect, test } from 'vitest';
import { presets } from '../../../../src/guard/index.ts';
import { sameOptions } from '../../../../src/guard/names/same-options.ts';

/** A function whose text is the same for every `status`. */
const ifNot = (status: number) => (error: unknown) => Reflect.get(error as object, 'status') !== status;

class Tier {
  readonly #socket = {};
  readonly client: unknown;
  readonly prefix: string;

  constructor(prefix: string, client: unknown = this.#socket) {
    this.prefix = prefix;
    this.client = client;
  }
}

class Client {
  state: string;

  constructor(state: string) {
    this.state = state;
  }
}

function cyclic(end: unknown): object {
  const one: Record<string, unknown> = { end };
  one['self'] = one;
  return one;
}

const SAME: Readonly<Record<string, () => unknown>> = {
  'plain values': () => ({ retry: { retries: 2, factor: Number.NaN }, timeout: undefined }),
  'a function of the same text': () => ({ retryIf: (error: Error) => error.message !== 'no' }),
  'a function of the same text that closes over something else': () => ({ retryIf: ifNot(Math.random()) }),
  'a method and a class': () => ({ strategy: { next: (): number => 1 }, error: class Mine extends Error {} }),
  'a backoff of cockatiel': () => new ExponentialBackoff({ initialDelay: 5, maxDelay: 9 }),
  'what makes a breaker of cockatiel': () => ({ strategy: () => new ConsecutiveBreaker(5) }),
  'an object with private fields, around a client that has a state': () =>
    new Tier('cache:', new Client(String(Math.random()))),
  'a regular expression': () => /^a b$/gi,
  'a date': () => new Date(5),
  'a date that is none': () => new Date('never'),
  'a map': () => new Map<unknown, unknown>([['a', { b: [1, 2] }]]),
  'a set': () => new Set(['a', 'b']),
  bytes: () => Buffer.from('abc'),
  'an array, with functions': () => [1, [() => 2]],
  'an object that contains itself': () => cyclic(1),
  'an object without a prototype': () => Object.assign(Object.create(null) as object, { a: 1 }),
  'an object of another realm': () => runInNewContext('({ a: { b: 1 } })') as object,
  'a preset': () => ({ ...presets.github, bulkhead: { concurrent: 5 } }),
};

const OTHER: Readonly<Record<string, readonly [unknown, unknown]>> = {
  'a number': [{ retries: 2 }, { retries: 3 }],
  'a policy that is missing': [
    { retry: {}, breaker: undefined },
    { retry: {}, breaker: {} },
  ],
  'the text of a function': [() => 1, () => 2],
  'a bound function': [ifNot.bind(undefined), ifNot.bind(undefined)],
  'a native function': [Math.max, Math.min],
  'a function for a value': [() => 1, 1],
  'a backoff with another number': [
    new ExponentialBackoff({ initialDelay: 5 }),
    new ExponentialBackoff({ initialDelay: 6 }),
  ],
  'a backoff of another class': [new ExponentialBackoff(), new ConstantBackoff(1)],
  'an object of a class for a plain one': [new Tier('a'), { prefix: 'a' }],
  'a plain property of an object of a class': [new Tier('a'), new Tier('b')],
  'a regular expression': [/a/g, /a/i],
  'a date': [new Date(1), new Date(2)],
  'a map': [new Map([['a', 1]]), new Map([['a', 2]])],
  'a set for a map': [new Set([1]), new Map([[1, 1]])],
  'the length of an array': [[1], [1, 2]],
  'an array for an object': [[], {}],
  'null for an object': [null, {}],
  'the end of an object that contains itself': [cyclic(1), cyclic(2)],
  'options that cannot be read': [
    {
      get a(): never {
        throw new Error('no');
      },
    },
    {},
  ],
};

/** The same function in two bundles, and one that means something else. */
const BUNDLED: readonly (readonly [string, string, string])[] = [
  ['e=>404!==e.status', 't=>404!==t.status', 't=>500!==t.status'],
  ['e=>(0,n.J)(e)', 'e=>r(e)', 'e=>r(e)||!0'],
  [
    'e=>(0,t.i(12).isHttpFailure)(e)',
    'a=>(0,e.i(345).isHttpFailure)(a)',
    'a=>!(0,e.i(345).isHttpFailure)(a)',
  ],
  [
    'function a(b){let c=d(b);return void 0!==c}',
    'function t(e){let r=n(e);return void 0!==r}',
    'function t(e){}',
  ],
  [
    'e=>(0, __TURBOPACK__imported__module__$5b$app$2d$route$5d$__["isDown"])(e)',
    'e=>(0, __TURBOPACK__imported__module__$5b$instrumentation$5d$__["isDown"])(e)',
    'e=>!(0, __TURBOPACK__imported__module__$5b$instrumentation$5d$__["isDown"])(e)',
  ],
  [
    'e=>errors__WEBPACK_IMPORTED_MODULE_1__.CODES.has(e)',
    'e=>__vi_import_0__.CODES.has(e)',
    'e=>__vi_import_0__.CODES.get(e)',
  ],
  ["e=>e.code!=='no'", "t=>t.code!=='no'", "t=>t.code!=='yes'"],
  ['async e=>1e3<await e.size', 'async r=>1e3<await r.size', 'async r=>1e4<await r.size'],
];

describe('functions of two bundles', () => {
  test.each(BUNDLED)('%s is %s, and not %s', (one, same, other) => {
    const [first, second, third] = [one, same, other].map((text) => runInThisContext(`(${text})`) as unknown);
    expect(sameOptions(first, second)).toBe(true);
    expect(sameOptions(first, third)).toBe(false);
    expect(sameOptions(second, third)).toBe(false);
  });
});

describe('options mean the same with', () => {
  test.each(Object.entries(SAME))('%s that is made anew', (_, make) => {
    expect(sameOptions(make(), make())).toBe(true);
  });

  test('a bound and a native function that are the very same', () => {
    const bound = ifNot.bind(undefined);
    expect(sameOptions({ retryIf: bound, make: Math.max }, { retryIf: bound, make: Math.max })).toBe(true);
  });

  test('a function whose text speaks of native code', () => {
    const make = (): unknown => () => '{ [native code] }, it says';
    expect(sameOptions(make(), make())).toBe(true);
  });

  test('a value of a million parts, of which the first ten thousand are compared', () => {
    const large = (last: number): unknown => [...Array.from({ length: 1_000_000 }, () => 0), last];
    expect(sameOptions(large(1), large(2))).toBe(true);
    expect(sameOptions([0, ...(large(1) as [])], [1, ...(large(1) as [])])).toBe(false);
  });
});

describe('options differ in', () => {
  test.each(Object.entries(OTHER))('%s', (_, [a, b]) => {
    expect(sameOptions(a, b)).toBe(false);
    expect(sameOptions(b, a)).toBe(false);
  });
});
