import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { JaegerTrace } from './backend-queries.ts';
import { Child } from './child.ts';
import { getJson, until } from './poll.ts';
import type { Stack } from './stack.ts';

const SERVICE = join(import.meta.dirname, 'steady-service.ts');
const START_MS = 30_000;

/** The process of {@link SERVICE} that a test starts, kills and asks. */
export class SteadyLoad {
  readonly home: string;
  readonly #child: Child;

  /** @param rate spans a second */
  constructor(name: string, rate: number, stack: Stack) {
    this.home = join(stack.folder, name);
    const args = [SERVICE, name, this.home, stack.otlp, String(rate)];
    this.#child = new Child(name, process.execPath, args, stack.folder);
  }

  /** Traces that are complete, by id, with how many spans each has; the last first made is the last. */
  get traces(): ReadonlyMap<string, number> {
    return new Map(
      this.#lines.flatMap(({ traceId, spans }) =>
        traceId === undefined || spans === undefined ? [] : [[traceId, spans] as const],
      ),
    );
  }

  /** Waits until it makes spans. */
  async started(): Promise<void> {
    await until('spans of a service', async () => (this.traces.size > 0 ? true : undefined), START_MS);
  }

  /** Kills it at once, and waits for its end. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#child.ended();
  }

  /** Asks it to send what waits and to end. @returns its exit code */
  end(): Promise<number | null> {
    this.#signal('SIGTERM');
    return this.#child.ended();
  }

  /** Ends it, whatever it is doing. */
  stop(): Promise<void> {
    return this.#child.stop();
  }

  get #lines(): readonly { readonly pid?: number; readonly traceId?: string; readonly spans?: number }[] {
    const complete = this.#child.stdout.split('\n').slice(0, -1);
    return complete.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#lines.find((line) => line.pid !== undefined)?.pid;
    if (pid === undefined) throw new Error(`The service has not told its process id:\n${this.#child.output}`);
    process.kill(pid, signal);
  }
}

/** How many spans Jaeger has of a trace: different ones, and those that it has more than once. */
export interface Stored {
  readonly spans: number;
  readonly again: number;
}

/** @returns what Jaeger has of a trace, duplicates left in */
async function storedTrace(stack: Stack, traceId: string): Promise<Stored> {
  const answer = await getJson<{ readonly data: readonly JaegerTrace[] }>(
    `${stack.jaeger}/api/traces/${traceId}?raw=true`,
  );
  const ids = answer?.data[0]?.spans.map(({ spanID }) => spanID) ?? [];
  const spans = new Set(ids).size;
  return { spans, again: ids.length - spans };
}

/**
 * Waits until Jaeger has every span of every trace.
 * @param expected how many spans each trace has
 * @returns how many spans Jaeger has in all, and how many more than once
 * @throws after `limitMs`, with what is missing
 */
export async function allStored(
  stack: Stack,
  expected: ReadonlyMap<string, number>,
  limitMs: number,
): Promise<Stored> {
  const missing = new Map(expected);
  let spans = 0;
  let again = 0;
  try {
    await until(
      'spans in Jaeger',
      async () => {
        for (const [traceId, count] of missing) {
          const stored = await storedTrace(stack, traceId);
          if (stored.spans < count) return undefined;
          missing.delete(traceId);
          spans += stored.spans;
          again += stored.again;
        }
        return true;
      },
      limitMs,
    );
  } catch (error) {
    const lacking = await Promise.all(
      [...missing].map(async ([traceId, count]) => count - (await storedTrace(stack, traceId)).spans),
    );
    const total = lacking.reduce((sum, count) => sum + count, 0);
    throw new Error(`Jaeger lacks ${total} spans of ${missing.size} traces of ${expected.size}.`, {
      cause: error,
    });
  }
  return { spans, again };
}

/** @returns how many different spans the journal of a home holds, delivered or not, by trace */
export function journalTraces(home: string): ReadonlyMap<string, number> {
  const folder = join(home, 'telemetry', 'traces');
  const found = new Map<string, Set<string>>();
  for (const file of readdirSync(folder).filter((name) => /\.jsonl(?:\.gz)?$/.test(name))) {
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    // A line that has no end was being written when the process was killed: it was not acknowledged.
    for (const line of text.split('\n').slice(0, -1)) {
      for (const [, traceId = '', spanId = ''] of line.matchAll(
        /"traceId":"(\w{32})","spanId":"(\w{16})"/g,
      )) {
        const spans = found.get(traceId) ?? new Set();
        found.set(traceId, spans.add(spanId));
      }
    }
  }
  return new Map([...found].map(([traceId, spans]) => [traceId, spans.size]));
}
