import { createRequire } from 'node:module';
import { join } from 'node:path';
import { InstrumentationBase, InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { expect, onTestFinished, test } from 'vitest';
import { watchVersions } from '../../../../src/telemetry/register/unsupported-versions.ts';
import { FakeClock } from '../../../../src/testing/fake-clock.ts';
import { AppFolder } from '../../../support/app-folder.ts';
import { unreadableValues } from '../../../support/unreadable-values.ts';

/** A real instrumentation that knows these versions of a package. */
function instrumentationOf(name: string, ranges: readonly string[]): Instrumentation {
  class ParcelInstrumentation extends InstrumentationBase {
    protected override init(): InstrumentationNodeModuleDefinition[] {
      return ranges.map(
        (range) => new InstrumentationNodeModuleDefinition(name, [range], (module) => module),
      );
    }
  }
  const instrumentation = new ParcelInstrumentation(`instrumentation-${name}`, '1.0.0', {});
  instrumentation.enable();
  onTestFinished(() => instrumentation.disable());
  return instrumentation;
}

test('a package whose version its instrumentation does not know is said once it is loaded, and only that', async () => {
  using app = new AppFolder();
  const names = ['parcel-known', 'parcel-later', 'parcel-unused', 'parcel-new'];
  for (const name of names) app.addPackage(name, '', { version: '2.0.5' });
  const instrumentations = [
    instrumentationOf('parcel-known', ['>=1.0.0 <2', '^2.0.0']),
    instrumentationOf('parcel-later', ['>=1.0.0 <2']),
    instrumentationOf('parcel-unused', ['>=1.0.0 <2']),
    instrumentationOf('parcel-new', ['>=1.0.0 <2', '^3.0.0']),
  ];
  const clock = new FakeClock();
  const warnings: string[] = [];
  watchVersions(instrumentations, clock, (_, message) => warnings.push(message));
  expect(clock.timers).toEqual({ running: 1, refed: 0 });
  const load = createRequire(join(app.path, 'main.cjs'));
  for (const name of ['parcel-known', 'parcel-later', 'parcel-new']) load(name);
  await clock.advance(9_999);
  expect(warnings).toEqual([]);
  await clock.advance(60_000);
  expect(warnings).toEqual([
    expect.stringContaining(
      'instrumentation-parcel-later knows parcel-later >=1.0.0 <2, and 2.0.5 is loaded',
    ),
    expect.stringContaining('instrumentation-parcel-new knows parcel-new >=1.0.0 <2 || ^3.0.0, and 2.0.5'),
  ]);
});

test('definitions that are none leave the process alone when they are looked at', async () => {
  const odd = unreadableValues().map(([, value]) => ({ _modules: [value], instrumentationName: value }));
  const throwing = Object.defineProperty({}, '_modules', {
    get() {
      throw new Error('x');
    },
  });
  const clock = new FakeClock();
  const warnings: string[] = [];
  watchVersions([...odd, throwing] as unknown as Instrumentation[], clock, (_, message) =>
    warnings.push(message),
  );
  await clock.advance(10_000);
  expect(clock.timers.running).toBe(0);
  expect(warnings).toEqual([]);
});
