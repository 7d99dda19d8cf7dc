import { formatDuration } from '../../core/time/duration.ts';
import { isJsonObject } from '../../telemetry/otlp/read/index.ts';
import type { CommandContext } from '../frame/command.ts';
import { fail, pass, skipped } from './check.ts';
import type { CheckResult } from './check.ts';
import { eventually } from './eventually.ts';
import { askJson, describeAnswer, remedyFor } from './http-json.ts';

const JAEGER = { name: 'Jaeger', option: '--jaeger' };

/** Whether Jaeger answers. */
export async function checkJaeger({ clock, signal }: CommandContext, base: URL): Promise<CheckResult> {
  const answer = await askJson({ base, path: 'api/services' }, clock, signal);
  const isJaeger =
    answer.kind === 'json' && answer.status === 200 && isJsonObject(answer.body) && 'data' in answer.body;
  return isJaeger
    ? pass('jaeger', 'Jaeger answers.')
    : fail('jaeger', describeAnswer(answer, base), remedyFor(answer, base, JAEGER));
}

/** Whether the span arrives. @param isSent whether OTLP took it */
export async function findSpan(
  context: CommandContext,
  base: URL,
  traceId: string,
  { isSent, waitMs }: { readonly isSent: boolean; readonly waitMs: number },
): Promise<CheckResult> {
  const name = 'span in jaeger';
  if (!isSent) return skipped(name, 'The span was not sent.');
  const startedAt = context.clock.now();
  const found = await eventually(context, waitMs, async () => {
    const answer = await askJson({ base, path: `api/traces/${traceId}` }, context.clock, context.signal);
    const data = answer.kind === 'json' && isJsonObject(answer.body) ? answer.body['data'] : undefined;
    return Array.isArray(data) && data.length > 0 ? true : undefined;
  });
  if (found)
    return pass(name, `It arrived within ${formatDuration(Math.ceil(context.clock.now() - startedAt))}.`);
  return fail(
    name,
    `OTLP took the span, and Jaeger does not have trace ${traceId} after ${formatDuration(waitMs)}.`,
    'Look at the Collector: its log, otelcol_exporter_send_failed_spans, its queue; whether it samples; whether --jaeger is the Jaeger behind it.',
  );
}
