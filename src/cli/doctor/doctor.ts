import { Home } from '../../storage/index.ts';
import type { CommandContext, Run } from '../frame/command.ts';
import { EXIT } from '../frame/exit-codes.ts';
import type { Style } from '../frame/output.ts';
import { printable } from '../frame/printable.ts';
import { counted } from '../frame/quantities.ts';
import { checkAlertmanager, fireTestAlert } from './alertmanager-checks.ts';
import { skipped } from './check.ts';
import type { CheckResult, CheckStatus } from './check.ts';
import { checkJaeger, findSpan } from './jaeger-checks.ts';
import { checkEnvironment, checkHome, checkNode } from './machine-checks.ts';
import { otlpCheckName, sendProbe } from './otlp-checks.ts';
import { makeProbe } from './probe.ts';
import { checkPrometheus, checkRules, findMetric } from './prometheus-checks.ts';
import type { Skippable } from './skippable.ts';

/** What `keelson doctor` takes. */
export interface DoctorInput {
  readonly home: string | undefined;
  /** `undefined`: as the environment says. */
  readonly otlp: URL | undefined;
  readonly jaeger: URL;
  readonly prometheus: URL;
  readonly alertmanager: URL;
  readonly skip: readonly Skippable[];
  /** Milliseconds. */
  readonly wait: number;
}

const MARKS: Readonly<Record<CheckStatus, readonly [mark: string, style: Style]>> = {
  pass: ['ok', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
  skipped: ['skip', 'dim'],
};
const MARK_WIDTH = 4;

/** `keelson doctor`. */
export const doctor: Run<DoctorInput> = async (context, input) => {
  const { output, signal } = context;
  const results: CheckResult[] = [];
  for await (const result of checks(context, input)) {
    // What fails because the user wants an end says nothing of the stack.
    if (signal.aborted) break;
    results.push(result);
    if (!output.json) for (const line of resultLines(result, context)) await output.line(line);
  }
  const failed = results.filter(({ status }) => status === 'fail').length;
  const warned = results.filter(({ status }) => status === 'warn').length;
  const healthy = failed === 0 && !signal.aborted;
  await output.answer({ healthy, complete: !signal.aborted, checks: results }, () => [
    '',
    ...(signal.aborted ? ['Not every check was made.'] : []),
    failed === 0
      ? output.style('green', `Nothing is broken; ${counted(warned, 'warning')}.`)
      : output.style('red', `${counted(failed, 'check')} failed, ${counted(warned, 'warning')}.`),
  ]);
  return healthy ? EXIT.ok : EXIT.unwell;
};

function resultLines(
  { name, status, detail, remedy }: CheckResult,
  { output }: CommandContext,
): readonly string[] {
  const [mark, style] = MARKS[status];
  const indent = ' '.repeat(MARK_WIDTH + 2);
  return [
    `${output.style(style, mark.padEnd(MARK_WIDTH))}  ${output.style('bold', name)}: ${printable(detail)}`,
    ...(remedy === undefined ? [] : [`${indent}${printable(remedy)}`]),
  ];
}

/** Every check in its order; what stands on a failed one is skipped. */
async function* checks(context: CommandContext, input: DoctorInput): AsyncGenerator<CheckResult> {
  const { env, cwd, clock, random, about } = context;
  yield checkNode(about.node, about.supportedNode);
  yield* checkHome(new Home({ path: input.home, env, cwd }));
  yield* checkEnvironment(env);

  const probe = makeProbe(clock.epoch(), random);
  const sent = await sendProbe(context, input.otlp, probe);
  yield* sent;
  const isSent = (signal: 'traces' | 'metrics'): boolean =>
    sent.some(({ name, status }) => name === otlpCheckName(signal) && status !== 'fail');

  if (input.skip.includes('jaeger')) yield skipped('jaeger', NOT_WANTED);
  else {
    const jaeger = await checkJaeger(context, input.jaeger);
    yield jaeger;
    const wait = { isSent: isSent('traces'), waitMs: input.wait };
    if (jaeger.status === 'pass') yield await findSpan(context, input.jaeger, probe.traceId, wait);
    else yield skipped('span in jaeger', 'Jaeger does not answer.');
  }
  if (input.skip.includes('prometheus')) yield skipped('prometheus', NOT_WANTED);
  else {
    const prometheus = await checkPrometheus(context, input.prometheus);
    yield prometheus;
    const wait = { isSent: isSent('metrics'), waitMs: input.wait };
    if (prometheus.status === 'pass') {
      yield await findMetric(context, input.prometheus, probe.seconds, wait);
      yield* await checkRules(context, input.prometheus);
    } else yield skipped('metric in prometheus', 'Prometheus does not answer.');
  }
  if (input.skip.includes('alertmanager')) yield skipped('alertmanager', NOT_WANTED);
  else {
    const alertmanager = await checkAlertmanager(context, input.alertmanager);
    yield alertmanager;
    if (alertmanager.status === 'pass') {
      yield await fireTestAlert(context, input.alertmanager, probe.traceId, input.wait);
    } else yield skipped('test alert', 'Alertmanager does not answer.');
  }
}

const NOT_WANTED = 'Left out with --skip.';
