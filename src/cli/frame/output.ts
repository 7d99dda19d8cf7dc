import { styleText } from 'node:util';
import type { CliPorts, Sink } from './ports.ts';

/** Styles that the CLI uses. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/**
 * Whether to colour what goes to `sink`: `FORCE_COLOR`, then `NO_COLOR` (no-color.org), then `TERM=dumb`, then whether it is a terminal.
 * Node's own order.
 */
export function wantsColour(env: CliPorts['env'], sink: Sink): boolean {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return sink.isTty;
}

/** How a user wants to be answered. */
export interface OutputOptions {
  /** JSON on standard output and nothing else there. */
  readonly json: boolean;
  /** No progress and no notes on standard error. */
  readonly quiet: boolean;
}

/** Answers of a command: results on standard output, notes on standard error. */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #ports: CliPorts;

  constructor(ports: CliPorts, options: OutputOptions) {
    this.#ports = ports;
    this.json = options.json;
    this.quiet = options.quiet;
  }

  /** The whole answer: with `--json` as one document, otherwise as the lines that `human` gives. */
  async answer(document: object, human: () => readonly string[]): Promise<void> {
    const text = this.json ? JSON.stringify(document, null, 2) : human().join('\n');
    await this.#ports.stdout.write(`${text}\n`);
  }

  /** One line of an answer that comes bit by bit; the caller decides between text and JSON. */
  async line(text: string): Promise<void> {
    await this.#ports.stdout.write(`${text}\n`);
  }

  /** Something that the user should know beside the answer. */
  async note(text: string): Promise<void> {
    if (this.quiet) return;
    await this.#ports.stderr.write(this.json ? `${JSON.stringify({ note: text })}\n` : `${text}\n`);
  }

  /** Text for standard output in a style, where it is coloured. */
  style(style: Style, text: string): string {
    return wantsColour(this.#ports.env, this.#ports.stdout)
      ? styleText(style, text, { validateStream: false })
      : text;
  }
}
