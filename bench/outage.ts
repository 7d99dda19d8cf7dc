import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Received, ReceiverAnswer, ReceiverOrder } from './outage-receiver.ts';
import type { Sdk, ServiceOrder, ServiceReport } from './outage-service.ts';

/** How many spans are lost while the receiver is away: Keelson and stock OpenTelemetry JS with its defaults, in one run. */

const USAGE = `Usage: npm run bench:outage -- [--full] [--outage S] [--before S] [--after S] [--rates LIST] [--json FILE]

  --full        an outage of 60 s instead of 20 s
  --outage S    seconds in which the receiver refuses connections
  --before S    seconds of load before it (default 3)
  --after S     seconds of load after it (default 10)
  --rates LIST  spans a second, one pair of services for each (default 20,100,500)
  --json FILE   write all figures to FILE
`;

const SDKS: readonly Sdk[] = ['keelson', 'stock'];
const MEBIBYTE = 2 ** 20;

/** How long each part of a run takes, in seconds. */
interface Schedule {
  readonly before: number;
  readonly outage: number;
  readonly after: number;
}

/** What became of the spans of one service. */
interface Row extends ServiceReport {
  readonly sdk: Sdk;
  readonly rate: number;
  readonly received: number;
  readonly lost: number;
  readonly twice: number;
}

function part(file: string, ...args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args);
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`A part of the benchmark ended with ${String(code)} before it had answered.`);
  });
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as readonly unknown[];
  return answer;
}

class Receiver {
  readonly #child = part('./outage-receiver.ts');

  /** @returns the address, the same at every time */
  async listen(): Promise<string> {
    const answer = await this.#ask('listen');
    if (!('port' in answer)) throw new Error('The receiver has no port.');
    return `http://127.0.0.1:${answer.port}`;
  }

  async refuse(): Promise<void> {
    await this.#ask('refuse');
  }

  async counts(): Promise<Readonly<Record<string, Received>>> {
    const answer = await this.#ask('count');
    return 'counts' in answer ? answer.counts : {};
  }

  stop(): void {
    this.#child.kill();
  }

  async #ask(order: ReceiverOrder): Promise<ReceiverAnswer> {
    const answer = answerOf(this.#child);
    this.#child.send(order);
    return (await answer) as ReceiverAnswer;
  }
}

class Service {
  readonly sdk: Sdk;
  readonly rate: number;
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(sdk: Sdk, rate: number, url: string) {
    this.sdk = sdk;
    this.rate = rate;
    this.name = `${sdk}-${rate}`;
    this.#child = part('./outage-service.ts', sdk, this.name, String(rate), url);
  }

  tell(order: ServiceOrder): void {
    this.#child.send(order);
  }

  async end(): Promise<ServiceReport> {
    const report = answerOf(this.#child);
    this.tell('end');
    return (await report) as ServiceReport;
  }

  stop(): void {
    this.#child.kill();
  }
}

const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1_000));

async function run(rates: readonly number[], { before, outage, after }: Schedule): Promise<readonly Row[]> {
  const receiver = new Receiver();
  const services: Service[] = [];
  try {
    const url = await receiver.listen();
    services.push(...rates.flatMap((rate) => SDKS.map((sdk) => new Service(sdk, rate, url))));
    const tell = (order: ServiceOrder): void => services.forEach((service) => service.tell(order));
    tell('start');
    await seconds(before);
    await receiver.refuse();
    tell('away');
    process.stderr.write(`the receiver is away for ${outage} s\n`);
    await seconds(outage);
    await receiver.listen();
    tell('back');
    process.stderr.write(`the receiver is back; load for ${after} s more\n`);
    await seconds(after);
    const reports = await Promise.all(services.map((service) => service.end()));
    const counts = await receiver.counts();
    return services.map(({ sdk, rate, name }, index) => rowOf(sdk, rate, reports[index], counts[name]));
  } finally {
    for (const service of services) service.stop();
    receiver.stop();
  }
}

function rowOf(
  sdk: Sdk,
  rate: number,
  report: ServiceReport | undefined,
  counted: Received | undefined,
): Row {
  if (!report) throw new Error(`${sdk} at ${rate} spans/s has not reported.`);
  const { spans = 0, again = 0 } = counted ?? {};
  return { sdk, rate, received: spans, lost: report.made - spans, twice: again, ...report };
}

const megabytes = ({ before, most }: ServiceReport['rss']): string =>
  `${(before / MEBIBYTE).toFixed(0)} -> ${(most / MEBIBYTE).toFixed(0)}`;

/** The table, one row for each service, and a line for each goal. */
function report(rows: readonly Row[], { outage }: Schedule): void {
  const cpu = os.cpus()[0]?.model ?? 'unknown CPU';
  console.log(`node ${process.version}, ${os.cpus().length} x ${cpu}; outage of ${outage} s\n`);
  const columns = ['sdk', 'spans/s', 'made', 'received', 'lost', 'lost %', 'twice', 'RSS MiB', 'heap MiB'];
  const cells = rows.map((row) => [
    row.sdk,
    String(row.rate),
    String(row.made),
    String(row.received),
    String(row.lost),
    ((row.lost / row.made) * 100).toFixed(1),
    String(row.twice),
    megabytes(row.rss),
    megabytes(row.heap),
  ]);
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  for (const row of [columns, ...cells]) {
    console.log(row.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  '));
  }
  console.log('');
  for (const { sdk, rate, lost } of rows) {
    if (sdk === 'keelson') console.log(`lost keelson/${rate} ${lost} goal 0 ${lost === 0 ? 'ok' : 'short'}`);
  }
}

function amount(text: string, name: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new Error(`Expected --${name} to be more than 0, got \`${text}\`.`);
  }
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      outage: { type: 'string' },
      before: { type: 'string', default: '3' },
      after: { type: 'string', default: '10' },
      rates: { type: 'string', default: '20,100,500' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const schedule: Schedule = {
    before: amount(values.before, 'before'),
    outage: amount(values.outage ?? (values.full ? '60' : '20'), 'outage'),
    after: amount(values.after, 'after'),
  };
  const rates = values.rates.split(',').map((rate) => amount(rate, 'rates'));
  const rows = await run(rates, schedule);
  report(rows, schedule);
  if (values.json !== undefined) {
    const machine = { node: process.version, cpus: os.cpus().length, model: os.cpus()[0]?.model };
    writeFileSync(values.json, `${JSON.stringify({ machine, schedule, rows }, null, 2)}\n`);
  }
}

await main();
