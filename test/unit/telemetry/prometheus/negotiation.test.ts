import { describe, expect, test } from 'vitest';
import { acceptsGzip, negotiate } from '../../../../src/telemetry/prometheus/negotiation.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const OLD_OPEN = 'application/openmetrics-text; version=0.0.1; charset=utf-8';

describe('the format', () => {
  test.each<[header: string | undefined, contentType: string]>([
    [undefined, TEXT],
    ['', TEXT],
    ['*/*', TEXT],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
    ['text/plain', TEXT],
    ['text/plain;version=0.0.4', TEXT],
    ['application/openmetrics-text', OPEN],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', OPEN],
    ['application/openmetrics-text;version="1.0.0"', OPEN],
    ['APPLICATION/OpenMetrics-Text;Version=1.0.0', OPEN],
    ['application/openmetrics-text;version=0.0.1', OLD_OPEN],
    ['application/openmetrics-text;version=2.0.0', TEXT],
    ['application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.1', OPEN],
    [
      // Prometheus 3.
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      OPEN,
    ],
    [
      // Prometheus 3 with native histograms: what it wants most does not exist here.
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3',
      OPEN,
    ],
    ['application/openmetrics-text;q=0.5,text/plain;q=0.9', TEXT],
    ['text/plain;q=0.5, application/openmetrics-text;q=0.9', OPEN],
    ['application/openmetrics-text, text/plain', OPEN],
    ['application/openmetrics-text;q=0, */*', TEXT],
    ['application/openmetrics-text;q=0', TEXT],
    ['application/openmetrics-text;q=0.5, text/*;q=0.6', TEXT],
    ['application/openmetrics-text;q=0.5, text/plain;q=0.1, */*;q=0.9', OPEN],
    [
      'application/openmetrics-text;version=1.0.0;q=0.2,application/openmetrics-text;version=0.0.1;q=0.7',
      OLD_OPEN,
    ],
    ['application/json', TEXT],
    ['application/openmetrics-text;q=high', TEXT],
    ['application/openmetrics-text;q=7', TEXT],
    [',;,=;;q=1,', TEXT],
  ])('for `%s` is %s', (header, contentType) => {
    expect(negotiate(header)).toEqual({
      format: contentType === TEXT ? 'text' : 'openmetrics',
      contentType,
    });
  });
});

describe('gzip', () => {
  test.each<[header: string | undefined, allowed: boolean]>([
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['deflate, gzip;q=0.5', true],
    ['gzip;q=0', false],
    ['*', true],
    ['gzip;q=0, *', false],
    ['identity', false],
  ])('for `%s`: %s', (header, allowed) => {
    expect(acceptsGzip(header)).toBe(allowed);
  });
});
