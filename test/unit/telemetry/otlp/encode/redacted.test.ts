import { SpanStatusCode } from '@opentelemetry/api';
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { encodeLogs, encodeSpans } from '../../../../../src/telemetry/otlp/encode/spans-and-logs.ts';

const HEX = 'h0nter2';

test('no secret of a span is encoded: query, URL, header, statement, event, link and status; the rest stays', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const span = provider.getTracer('t').startSpan('GET', {
    attributes: {
      'url.query': `code=${HEX}&page=2`,
      'url.full': `https://bob:${HEX}@shop.example/x?password=${HEX}`,
      'url.path': '/x',
      'http.request.header.authorization': [`Bearer ${HEX}`],
      'http.request.header.x-note': [`sent Bearer ${HEX}`],
      'db.query.text': `SELECT 1 WHERE password = '${HEX}'`,
      'server.address': 'shop.example',
      'server.port': 443,
    },
    links: [
      {
        context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 },
        attributes: { l: `pwd=${HEX}` },
      },
    ],
  });
  span.recordException(new Error(`fetch of /x?token=${HEX} failed`));
  span.setStatus({ code: SpanStatusCode.ERROR, message: `fetch of /x?token=${HEX} failed` });
  span.end();
  const text = Buffer.from(encodeSpans(exporter.getFinishedSpans())).toString();
  expect(text).not.toContain(HEX);
  for (const kept of [
    'code=[redacted]&page=2',
    'shop.example',
    '{"intValue":443}',
    '/x?token=[redacted] failed',
    '"/x"',
  ])
    expect(text).toContain(kept);
});

test('no secret of a log record is encoded, in the body or at any depth of the attributes', () => {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger('pino');
  logger.emit({
    body: `login with password=${HEX}`,
    attributes: { req: { headers: { cookie: HEX, host: 'shop' } } },
  });
  logger.emit({ body: { token: HEX, list: ['x-api-key', HEX], header: { name: 'cookie', value: HEX } } });
  logger.emit({ body: 'fine', attributes: { 'exception.stacktrace': `Error: ?sig=${HEX}\n    at x` } });
  const text = Buffer.from(encodeLogs(exporter.getFinishedLogRecords())).toString();
  expect(text).not.toContain(HEX);
  for (const kept of ['login with password=', '"shop"', '"fine"', '    at x']) expect(text).toContain(kept);
});
