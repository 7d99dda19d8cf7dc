import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../../src/core/time/clock.ts';
import { HttpTransport } from '../../../../../src/telemetry/otlp/http/http-transport.ts';
import type { OtlpSettings } from '../../../../../src/telemetry/otlp/http/settings.ts';
import { OtlpReceiver } from '../../../../support/otlp-receiver.ts';

const BODY = Buffer.from('{"resourceSpans":[]}');

function transportTo(url: string, more: Partial<OtlpSettings> = {}): HttpTransport {
  return new HttpTransport(
    { url: `${url}/v1/traces`, headers: {}, timeoutMs: 5_000, compression: 'none', tls: {}, ...more },
    systemClock,
  );
}

describe('OTLP over HTTP', () => {
  test('posts JSON with the headers of the settings', async () => {
    await using receiver = await OtlpReceiver.start();
    const transport = transportTo(receiver.url, { headers: { 'x-key': 'k' } });
    expect(await transport.send(BODY)).toEqual({ status: 'taken', refused: 0, detail: undefined });
    expect(receiver.requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { 'content-type': 'application/json', 'x-key': 'k' },
      body: { resourceSpans: [] },
    });
    transport.close();
  });

  test('compresses where it is asked to', async () => {
    await using receiver = await OtlpReceiver.start();
    const transport = transportTo(receiver.url, { compression: 'gzip' });
    await transport.send(BODY);
    expect(receiver.requests[0]).toMatchObject({
      headers: { 'content-encoding': 'gzip' },
      body: { resourceSpans: [] },
    });
    transport.close();
  });

  test('sends one request after another over one connection', async () => {
    await using receiver = await OtlpReceiver.start();
    const transport = transportTo(receiver.url);
    for (let i = 0; i < 5; i += 1) await transport.send(BODY);
    expect(receiver.requests).toHaveLength(5);
    transport.close();
  });

  test('reads how many items were refused', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = {
      status: 200,
      body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}',
    };
    const transport = transportTo(receiver.url);
    expect(await transport.send(BODY)).toEqual({ status: 'taken', refused: 3, detail: 'too old' });
    transport.close();
  });

  for (const status of [429, 502, 503, 504]) {
    test(`takes ${status} as a reason to try again`, async () => {
      await using receiver = await OtlpReceiver.start();
      receiver.mode = { status, headers: { 'retry-after': '7' } };
      const transport = transportTo(receiver.url);
      expect(await transport.send(BODY)).toEqual({
        status: 'later',
        reason: 'unavailable',
        detail: `HTTP ${status}`,
        code: status,
        retryAfterMs: 7_000,
      });
      transport.close();
    });
  }

  test('gives the answer of a refusal', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = { status: 400, body: 'bad span' };
    const transport = transportTo(receiver.url);
    expect(await transport.send(BODY)).toEqual({ status: 'rejected', code: 400, answer: 'bad span' });
    transport.close();
  });

  test('takes an answer that breaks off in the middle as none', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"partial', () => response.destroy());
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const transport = transportTo(`http://127.0.0.1:${port}`);
    expect(await transport.send(BODY)).toMatchObject({ status: 'later', reason: 'unreachable' });
    transport.close();
    server.close();
  });

  test('says that nobody listens', async () => {
    const receiver = await OtlpReceiver.start();
    await receiver.close();
    const transport = transportTo(receiver.url);
    expect(await transport.send(BODY)).toMatchObject({
      status: 'later',
      reason: 'unreachable',
      detail: 'ECONNREFUSED',
    });
    transport.close();
  });

  test('gives an endpoint that hangs up after its time', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const transport = transportTo(receiver.url, { timeoutMs: 50 });
    expect(await transport.send(BODY)).toMatchObject({
      status: 'later',
      reason: 'timeout',
      detail: 'no answer within 50 ms',
    });
    transport.close();
  });

  test('breaks off what is under way when it is closed', async () => {
    await using receiver = await OtlpReceiver.start();
    receiver.mode = 'hang';
    const transport = transportTo(receiver.url);
    const sending = transport.send(BODY);
    await receiver.until(() => receiver.attempts === 1, 'the request');
    transport.close();
    expect(await sending).toMatchObject({ status: 'later', reason: 'unreachable' });
  });
});
