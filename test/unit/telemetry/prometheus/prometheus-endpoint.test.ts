import { request } from 'node:http';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gunzipSync } from 'node:zlib';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PrometheusEndpoint } from '../../../../src/telemetry/prometheus/prometheus-endpoint.ts';
import { readExposition } from '../../../support/exposition.ts';
import { unreadableValues } from '../../../support/unreadable-values.ts';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

let endpoint: PrometheusEndpoint;
let provider: MeterProvider;
const warnings: string[] = [];

/** With no header but those that are given: fetch would add an Accept of its own. */
function ask(options: RequestOptions = {}, path = '/metrics'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(new URL(path, endpoint.url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

beforeEach(async () => {
  warnings.length = 0;
  const warn = (_key: string, message: string): void => void warnings.push(message);
  endpoint = new PrometheusEndpoint({ host: '127.0.0.1', port: 0, warn, exemplars: () => [] });
  provider = new MeterProvider({ resource: resourceFromAttributes({}), readers: [endpoint.reader] });
  await endpoint.ready;
});

afterEach(async () => {
  await endpoint.close();
  await provider.shutdown();
});

describe('the Prometheus endpoint', () => {
  test.each(unreadableValues())('answers where a metric and a label are odd: %s', async (_name, value) => {
    const meter = provider.getMeter('m');
    meter.createCounter('fine').add(3);
    for (const make of [
      () => meter.createCounter(value as string).add(1),
      () => meter.createCounter('unit', { unit: value as string }).add(1),
      () => meter.createCounter('odd').add(1, { label: value as string }),
    ]) {
      try {
        make();
      } catch {
        // The SDK refuses some of them in the call.
      }
    }
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(body.toString('utf8')).toContain('\nfine_total 3\n');
  });

  test('gives text to whoever names no format', async () => {
    provider.getMeter('m').createCounter('c').add(3);
    const { status, headers, body } = await ask();
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      vary: 'Accept, Accept-Encoding',
    });
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.toString()).toContain('\nc_total 3\n');
  });

  test('gives OpenMetrics to whoever prefers it, with its end', async () => {
    provider.getMeter('m').createCounter('c').add(3);
    const accept = 'text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=1.0.0;q=0.6';
    const { headers, body } = await ask({ headers: { accept } });
    expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(body.toString().endsWith('c_total 3\n# EOF\n')).toBe(true);
  });

  test('compresses for whoever accepts it', async () => {
    provider.getMeter('m').createCounter('c').add(3);
    const { headers, body } = await ask({ headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(body).toString()).toContain('\nc_total 3\n');
  });

  test('answers HEAD with the headers of a GET, and reads no metric for it', async () => {
    let reads = 0;
    provider
      .getMeter('m')
      .createObservableGauge('g')
      .addCallback(() => void (reads += 1));
    const { status, headers, body } = await ask({
      method: 'HEAD',
      headers: { accept: 'application/openmetrics-text' },
    });
    expect([status, headers['content-type'], body.length, reads]).toEqual([
      200,
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
      0,
      0,
    ]);
  });

  test('has nothing at other paths and for other methods, and says what there is', async () => {
    const missing = await ask({}, '/');
    expect([missing.status, missing.body.toString()]).toEqual([404, 'Metrics are at /metrics.\n']);
    const posted = await ask({ method: 'POST' });
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect((await ask({}, '/metrics?name=c')).status).toBe(200);
  });

  test('shows the rest where a callback fails, and says so', async () => {
    const meter = provider.getMeter('m');
    meter.createCounter('c').add(1);
    meter.createObservableGauge('g').addCallback(() => {
      throw new RangeError('secret');
    });
    const { status, body } = await ask();
    expect([status, body.toString().includes('c_total 1')]).toEqual([200, true]);
    expect(warnings).toEqual([expect.stringContaining('what reads them fails (RangeError)')]);
    expect(warnings.join('')).not.toContain('secret');
  });

  test('answers 503 when there is nothing to read from any more', async () => {
    await provider.shutdown();
    expect((await ask()).status).toBe(503);
    expect(warnings).toHaveLength(1);
  });

  test('names an instrument that has too many series', async () => {
    const counter = provider.getMeter('m').createCounter('requests');
    for (let index = 0; index < 2_001; index += 1) counter.add(1, { id: index });
    const { body } = await ask();
    expect(body.toString()).toContain('requests_total{otel_metric_overflow="true"}');
    expect(warnings).toEqual([expect.stringContaining('`requests` has more combinations of attributes')]);
  });

  test('lets others have their turn while it writes two thousand histograms', async () => {
    const histogram = provider.getMeter('m').createHistogram('h');
    for (let index = 0; index < 1_999; index += 1) histogram.record(1, { index });
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    setImmediate(turn);
    const { body } = await ask();
    isOver = true;
    delay.disable();
    // One turn after each hundred series, for reading them and for writing them.
    expect(turns).toBeGreaterThan(2 * 19);
    expect(readExposition(body.toString(), 'text')[1]?.samples).toHaveLength(1_999 * 18);
    console.log(
      `scrape of 1,999 histograms: ${(body.length / 1e6).toFixed(1)} MB, longest block ${(delay.max / 1e6).toFixed(0)} ms`,
    );
  });

  test('is not harmed by a client that leaves in the middle', async () => {
    const histogram = provider.getMeter('m').createHistogram('h');
    for (let index = 0; index < 1_000; index += 1) histogram.record(1, { index });
    await new Promise<void>((resolve) => {
      const call = request(endpoint.url ?? '', (response) => {
        response.once('data', () => {
          response.destroy();
          resolve();
        });
      });
      call.end();
    });
    expect((await ask()).status).toBe(200);
    expect(warnings).toEqual([]);
  });

  test('serves several at once', async () => {
    const histogram = provider.getMeter('m').createHistogram('h');
    for (let index = 0; index < 500; index += 1) histogram.record(1, { index });
    const answers = await Promise.all([ask(), ask(), ask()]);
    for (const { body } of answers) {
      expect(readExposition(body.toString(), 'text')[1]?.samples).toHaveLength(500 * 18);
    }
  });
});
