import { readOtlp, VariableReader } from '../../telemetry/environment/index.ts';
import { HttpTransport, shownUrl, signalUrl } from '../../telemetry/otlp/http/index.ts';
import type { OtlpSettings, SendResult } from '../../telemetry/otlp/http/index.ts';
import { answerExcerpt } from '../../telemetry/redaction/index.ts';
import { SIGNALS } from '../../telemetry/semconv.ts';
import type { Signal } from '../../telemetry/semconv.ts';
import type { CommandContext } from '../frame/command.ts';
import { fail, pass, warn } from './check.ts';
import type { CheckResult } from './check.ts';
import type { Probe } from './probe.ts';

/** The check that sends one signal. */
export function otlpCheckName(signal: Signal): string {
  return `otlp ${signal}`;
}

/**
 * Sends the span, the point and the record as a service would: with the headers, TLS files and timeout of the environment.
 * @param endpoint the base address; `undefined` for that of the environment
 */
export async function sendProbe(
  { env, clock, signal: abort }: CommandContext,
  endpoint: URL | undefined,
  probe: Probe,
): Promise<readonly CheckResult[]> {
  // What is wrong with the variables is said by another check.
  const read = new VariableReader(env, () => {});
  return Promise.all(
    SIGNALS.map(async (signal) => {
      const settings = readOtlp(read, signal, () => {});
      const url = endpoint === undefined ? settings.url : signalUrl(endpoint.href, signal);
      const result = await sendOnce({ ...settings, url }, clock, probe.requests[signal], abort);
      return judge(otlpCheckName(signal), result, shownUrl(url));
    }),
  );
}

async function sendOnce(
  settings: OtlpSettings,
  clock: CommandContext['clock'],
  body: Uint8Array,
  abort: AbortSignal,
): Promise<SendResult> {
  const transport = new HttpTransport(settings, clock);
  const close = (): void => transport.close();
  abort.addEventListener('abort', close, { once: true });
  try {
    return await transport.send(body);
  } finally {
    abort.removeEventListener('abort', close);
    transport.close();
  }
}

function judge(name: string, result: SendResult, where: string): CheckResult {
  switch (result.status) {
    case 'taken':
      return result.refused > 0
        ? fail(
            name,
            `${where} took the request and refused the item: ${result.detail ?? 'it does not say why'}.`,
            'Look at the log of what listens there.',
          )
        : result.odd === undefined
          ? pass(name, `${where} took it.`)
          : warn(
              name,
              `${where} took it, with an answer that is none of OTLP's: ${result.odd}.`,
              SOMETHING_ELSE,
            );
    case 'too_large':
    case 'rejected':
      return fail(
        name,
        `${where} refused it with HTTP ${result.code}${result.answer.trim() === '' ? '' : `: "${answerExcerpt(result.answer)}"`}.`,
        refusalRemedy(result),
      );
    case 'later':
      return fail(name, `${where} did not take it: ${result.detail}.`, REMEDIES[result.reason]);
  }
}

const FIRST_SERVER_ERROR = 500;

function refusalRemedy({ status, code }: Extract<SendResult, { status: 'too_large' | 'rejected' }>): string {
  if (status === 'too_large')
    return 'The receiver, or a proxy before it, takes no request of a few hundred bytes: raise its limit (max_request_body_size of a Collector, client_max_body_size of nginx).';
  if (code >= FIRST_SERVER_ERROR)
    return "That is the receiver's own trouble, or that of what stands behind it: look at its log.";
  return 'It wants another form of OTLP than JSON over HTTP: point it at the OTLP/HTTP port of a Collector, usually 4318.';
}

const SOMETHING_ELSE =
  'What listens there is no OTLP/HTTP receiver, or wants other headers: find out which program it is (lsof -i), name the OTLP/HTTP address of the Collector ' +
  'with --otlp or OTEL_EXPORTER_OTLP_ENDPOINT (the port is usually 4318, and 4317 is gRPC), and check OTEL_EXPORTER_OTLP_HEADERS.';

const REMEDIES: Readonly<Record<Extract<SendResult, { status: 'later' }>['reason'], string>> = {
  unreachable:
    'Start the Collector (npx keelson stack up), or name its OTLP/HTTP address with --otlp or OTEL_EXPORTER_OTLP_ENDPOINT; the port is usually 4318, and 4317 is gRPC.',
  timeout: 'Look whether the Collector is overloaded, or a firewall swallows the packets.',
  unavailable:
    "The receiver is overloaded or cannot reach what stands behind it: look at the Collector's log.",
  refused: SOMETHING_ELSE,
};
