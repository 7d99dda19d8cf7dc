import { diag } from '@opentelemetry/api';
import { afterEach, describe, expect, test } from 'vitest';
import { diagLogger } from '../../../../src/telemetry/sdk/diag-logger.ts';
import { unreadableValues } from '../../../support/unreadable-values.ts';

describe('what libraries hand to diag', () => {
  const warnings: string[] = [];

  afterEach(() => {
    diag.disable();
    warnings.length = 0;
  });

  const listen = (): void => {
    diag.setLogger(diagLogger((_, message) => warnings.push(message)));
    warnings.length = 0;
  };

  test.each(unreadableValues())('never throws, and is one line: %s', (_name, value) => {
    listen();
    for (const level of ['error', 'warn', 'info'] as const) Reflect.apply(diag[level], diag, [value, value]);
    diag.createComponentLogger({ namespace: 'component' }).error(value as string, value);
    expect(warnings).toHaveLength(4);
    expect(warnings.every((line) => /^SDK: [^\n]+$/.test(line))).toBe(true);
  });

  test('is nothing at all in one call, and that is said too', () => {
    listen();
    Reflect.apply(diag.error, diag, []);
    expect(warnings).toEqual(['SDK: undefined.']);
  });

  test('is shown with the message of an error and of a component, without secrets and without batches', () => {
    listen();
    diag.error(new Error('port taken') as never);
    diag.error('failed at https://bob:hunter2@shop.example/\n    at stack');
    diag
      .createComponentLogger({ namespace: 'instrumentation-pg' })
      .warn('cannot patch', { batch: ['hunter2'] });
    diag.createComponentLogger({ namespace: 'instrumentation-pg' }).error('x'.repeat(1_000));
    expect(warnings).toEqual([
      'SDK: Error: port taken.',
      'SDK: failed at https://bob:[redacted]@shop.example/',
      'SDK: instrumentation-pg: cannot patch',
      `SDK: instrumentation-pg: ${'x'.repeat(300)}`,
    ]);
  });

  test('tells of a second SDK, however it is said', () => {
    listen();
    diag.error('@opentelemetry/api: Attempted duplicate registration of API: trace');
    diag.error(new Error('@opentelemetry/api: Attempted duplicate registration of API: trace') as never);
    expect(warnings).toEqual(Array(2).fill(expect.stringContaining('Another OpenTelemetry SDK was started')));
  });
});
