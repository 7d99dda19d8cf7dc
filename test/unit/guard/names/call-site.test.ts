import { createRequire } from 'node:module';
import { Script } from 'node:vm';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { CallSite } from '../../../../src/guard/names/call-site.ts';
import { callSite, entering, placeName } from '../../../../src/guard/names/call-site.ts';
import { AppFolder } from '../../../support/app-folder.ts';

/** A function of the package, with another one inside of it, as `guard()` calls `keelson.guard()`. */
function outer(): CallSite | undefined {
  return entering(outer, inner);
}

function inner(): CallSite | undefined {
  return entering(inner, () => callSite());
}

const OWN = /[\\/]call-site\.test\.ts:\d+$/;
const before = {
  limit: Error.stackTraceLimit,
  prepare: Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'),
};

afterEach(() => {
  Error.stackTraceLimit = before.limit;
  if (before.prepare) Object.defineProperty(Error, 'prepareStackTrace', before.prepare);
  else Reflect.deleteProperty(Error, 'prepareStackTrace');
});

/** The place of a call in the third line of a script of this name, which a bundler may have made up. */
function placeIn(filename: string): string {
  const script = new Script('(outer) => (\n\nouter())', { filename });
  const run = script.runInThisContext() as (fn: typeof outer) => CallSite | undefined;
  return placeName(run(outer));
}

describe('the place of a call', () => {
  test('is that of whoever called the outermost function of the package', () => {
    const [first, second] = [outer(), outer()];
    expect(placeName(first)).toMatch(OWN);
    expect(second).toMatchObject({ script: first?.script, line: first?.line });
    expect(second?.column).toBeGreaterThan(first?.column ?? Number.NaN);
  });

  test.each([
    ['file:///srv/app%20(new)/payments.mjs?t=17', '/srv/app (new)/payments.mjs:3'],
    ['/srv/app (new)/(group)/route.js', '/srv/app (new)/(group)/route.js:3'],
    ['webpack-internal:///(rsc)/./lib/payments.js', 'webpack-internal:///(rsc)/./lib/payments.js:3'],
    ['file://%', 'file://%:3'],
  ])('in %s is %s', (script, place) => {
    expect(placeIn(script)).toBe(place);
  });

  test('in code that is evaluated from a string has the name that its comment gives', () => {
    const script = new Script(
      '(outer) => outer()\n//# sourceURL=webpack-internal:///(rsc)/./lib/payments.js',
    );
    const run = script.runInThisContext() as (fn: typeof outer) => CallSite | undefined;
    const place = placeName(run(outer));
    expect(place).toMatch(/^webpack-internal:\/\/\/\(rsc\)\/\.\/lib\/payments\.js:\d$/);
  });

  test.each([
    ['of the user is what the source map says, if Node uses those', 'payments.ts', /payments\.ts:42$/],
    [
      'is that in the bundle where the source map leads into the package itself',
      'node_modules/keelson/src/guard/keelson.ts',
      /bundle\.cjs:1$/,
    ],
  ])('%s', (_, source, place) => {
    using folder = new AppFolder();
    // All of the first line comes from line 42 of the source.
    const map = JSON.stringify({ version: 3, sources: [source], names: [], mappings: 'AAyCA' });
    const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
    const bundle = folder.write('bundle.cjs', `module.exports = (outer) => outer();\n${comment}\n`);
    const { sourceMapsEnabled } = process;
    process.setSourceMapsEnabled(true);
    onTestFinished(() => process.setSourceMapsEnabled(sourceMapsEnabled));
    const run = createRequire(import.meta.url)(bundle) as (fn: typeof outer) => CallSite | undefined;
    expect(placeName(run(outer))).toMatch(place);
  });

  test('is found where traces are off, and the application formats them itself', () => {
    const prepare = (): string => 'mine';
    Error.stackTraceLimit = 0;
    Error.prepareStackTrace = prepare;
    expect(placeName(outer())).toMatch(OWN);
    expect(Error.stackTraceLimit).toBe(0);
    expect(Reflect.get(Error, 'prepareStackTrace')).toBe(prepare);
  });

  test('leaves no trace where the application has set nothing', () => {
    Reflect.deleteProperty(Error, 'prepareStackTrace');
    Reflect.deleteProperty(Error, 'stackTraceLimit');
    expect(placeName(outer())).toMatch(OWN);
    expect(Object.hasOwn(Error, 'prepareStackTrace')).toBe(false);
    expect(Object.hasOwn(Error, 'stackTraceLimit')).toBe(false);
  });

  test('is not known where the engine does not tell, and outside of the package', () => {
    expect(callSite()).toBeUndefined();
    const captureStackTrace: unknown = Reflect.get(Error, 'captureStackTrace');
    try {
      Error.captureStackTrace = () => {
        throw new Error('no');
      };
      expect(placeName(outer())).toBe('a place that is not known');
    } finally {
      Reflect.set(Error, 'captureStackTrace', captureStackTrace);
    }
  });

  test('is forgotten when a call throws', () => {
    const fails = (): never =>
      entering(fails, () => {
        throw new Error('no');
      });
    expect(fails).toThrow('no');
    expect(callSite()).toBeUndefined();
  });
});
