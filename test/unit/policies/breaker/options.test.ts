import { SamplingBreaker } from 'cockatiel';
import { expect, test } from 'vitest';
import { OptionChecker } from '../../../../src/core/options.ts';
import type { BreakerOptions } from '../../../../src/policies/breaker/index.ts';
import { breaker } from '../../../../src/policies/breaker/index.ts';
import { resolveBreaker } from '../../../../src/policies/breaker/options.ts';

const strategy = (): SamplingBreaker => new SamplingBreaker({ threshold: 0.5, duration: 1_000 });

test.each<[string, unknown, string]>([
  ['strategy', { strategy: 1 }, 'Give a function that makes the strategy: `() => new CountBreaker({...})`.'],
  ['failureIf', { failureIf: 1 }, 'Give a function that takes the error and says whether it counts.'],
  ['mode', { mode: 'dry' }, "The default is 'enforce'."],
  ['failureRate', { failureRate: 0 }, 'Expected `failureRate` to be a number in (0, 1], got 0 (number).'],
  ['slowCallRate', { slowCallRate: 50, slowCall: '1s' }, 'in (0, 1], got 50'],
  ['slowCall', { slowCall: 'slow' }, 'to be a duration of at least 1 ms'],
  [
    'slowCall',
    { slowCallRate: 0.5 },
    "to be a duration beside `slowCallRate`, got undefined. Say what is slow: `slowCall: '2s'`.",
  ],
  ['minimumCalls', { minimumCalls: 0 }, 'to be a whole number of at least 1, got 0'],
  ['failures', { failures: 1.5 }, 'to be a whole number of at least 1, got 1.5'],
  [
    'failures',
    { failures: 5, failureRate: 0.5 },
    'to be left out beside a rate, got 5 (number). Choose failures in a row, or a share of the calls.',
  ],
  ['failures', { failures: 5, slowCallRate: 0.5, slowCall: '1s' }, 'to be left out beside a rate'],
  [
    'failures',
    { failures: 5, strategy },
    'to be left out beside `strategy`, got 5 (number). The strategy alone decides when the circuit opens.',
  ],
  ['successes', { successes: 0 }, 'to be a whole number of at least 1'],
  ['openFor', { openFor: 0 }, 'to be a duration of at least 1 ms'],
  ['openFactor', { openFactor: 0.5 }, 'to be a number of at least 1, got 0.5'],
  ['maxOpenFor', { maxOpenFor: 0 }, 'to be a duration of at least 1 ms'],
  ['openJitter', { openJitter: 2 }, 'to be a number in [0, 1], got 2'],
  ['halfOpenWait', { halfOpenWait: 0 }, 'to be a duration of at least 1 ms'],
  ['ramp', { ramp: 0 }, 'to be a duration of at least 1 ms'],
  ['window', { window: 0 }, 'to be a whole number in [1, 1000000], got 0'],
  [
    'window',
    { window: '9ms' },
    "to be a number of calls, or a duration of at least 10 ms, got '9ms' (string). Use 100, or '10s'.",
  ],
  ['window', { window: 'ten' }, 'to be a number of calls, or a duration'],
])('%s is refused in %j', (key, options, remedy) => {
  expect(() => breaker(options as BreakerOptions)).toThrow(`Expected \`${key}\``);
  expect(() => breaker(options as BreakerOptions)).toThrow(remedy);
});

test.each<[BreakerOptions, object]>([
  [{}, { window: { calls: 100 }, shadow: false, slowCallMs: undefined }],
  [{ mode: 'enforce' }, { shadow: false }],
  [{ mode: 'shadow' }, { shadow: true }],
  [{ window: '10ms' }, { window: { ms: 10 } }],
  [{ window: 1 }, { window: { calls: 1 } }],
  [{ failures: 1 }, { failures: 1, failureRate: undefined, slowCallRate: undefined }],
  [{ strategy }, { strategy }],
])('%j is taken', (options, resolved) => {
  const check = new OptionChecker('breaker');
  expect(resolveBreaker(options, check)).toMatchObject(resolved);
  check.done();
});

test('a window that is refused leaves the default behind', () => {
  expect(resolveBreaker({ window: '9ms' }, new OptionChecker('breaker')).window).toEqual({ calls: 100 });
});
