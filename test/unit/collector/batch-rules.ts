import type { CollectorConfig, Exporter, Rule } from './collector-rules.ts';

const MIB = 2 ** 20;
/** What a receiver takes if its configuration names no limit. Source: Collector 0.159, `configgrpc` and `confighttp`. */
const DEFAULT_GRPC_MIB = 4;
const DEFAULT_HTTP_BYTES = 20 * MIB;
/** The largest batch that is bounded by its items. Loki takes 4 MiB by default: 200 records of 20 kB. */
const MAX_BATCH_ITEMS = 200;

interface Protocols {
  readonly grpc?: { readonly max_recv_msg_size_mib?: number };
  readonly http?: { readonly max_request_body_size?: number };
}

function protocols({ receivers = {} }: CollectorConfig): Protocols {
  const otlp = receivers['otlp'] as { readonly protocols?: Protocols } | undefined;
  return otlp?.protocols ?? {};
}

/** @returns bytes of the largest message that the receiver takes over gRPC; 0 if it takes none */
function grpcLimit(config: CollectorConfig): number {
  const { grpc } = protocols(config);
  return grpc === undefined ? 0 : (grpc.max_recv_msg_size_mib ?? DEFAULT_GRPC_MIB) * MIB;
}

/** @returns bytes of the largest request that the receiver takes, over any protocol; 0 if it takes none */
function largestRequest(config: CollectorConfig): number {
  const { http } = protocols(config);
  const httpLimit = http === undefined ? 0 : (http.max_request_body_size ?? DEFAULT_HTTP_BYTES);
  return Math.max(grpcLimit(config), httpLimit);
}

/** The largest batch that an exporter sends, by bytes or by items; infinite if its configuration names no maximum. */
function largestBatch(exporter: Exporter | null): { readonly bytes: number; readonly items: number } {
  const queue = exporter?.sending_queue;
  const sizer = queue?.batch?.sizer ?? queue?.sizer;
  // 0 stands for no maximum.
  const maximum = queue?.batch?.max_size || Number.POSITIVE_INFINITY;
  return {
    bytes: sizer === 'bytes' ? maximum : Number.POSITIVE_INFINITY,
    items: sizer === 'items' ? maximum : Number.POSITIVE_INFINITY,
  };
}

/** Batches that an exporter sends at a time, for each signal, if its configuration does not say. */
const DEFAULT_CONSUMERS = 10;

/** Exporters that send OTLP. Each has a queue: if its configuration names none, the Collector's default one. */
const senders = ({ exporters = {} }: CollectorConfig) =>
  Object.entries(exporters).filter(([name]) => name.startsWith('otlp'));

/** What every configuration keeps whose exporters have a queue. */
export const BATCH_RULES: Readonly<Record<string, Rule>> = {
  'a batch has a maximum': (config) =>
    senders(config)
      .filter(([, exporter]) => {
        const { bytes, items } = largestBatch(exporter);
        return bytes === Number.POSITIVE_INFINITY && items > MAX_BATCH_ITEMS;
      })
      .map(([name]) => name),
  // The Collector (0.159) drops an item that is larger than the maximum in bytes, and all that wait behind it in its batch, uncounted.
  'every item that the receiver takes fits into a batch': (config) =>
    senders(config)
      .filter(([, exporter]) => largestBatch(exporter).bytes <= largestRequest(config))
      .map(([name]) => name),
};

/**
 * The most that is in memory of batches on their way, which an outage holds there: each exporter has consumers for each of its signals.
 *
 * @returns bytes, without those of exporters whose batches are bounded by their items
 */
export function bytesOnTheirWay(config: CollectorConfig): number {
  const signals = (name: string): ReadonlySet<string | undefined> =>
    new Set(
      Object.entries(config.service.pipelines)
        .filter(([, { exporters }]) => exporters.includes(name))
        .map(([pipeline]) => pipeline.split('/')[0]),
    );
  return senders(config)
    .filter(([, exporter]) => largestBatch(exporter).items === Number.POSITIVE_INFINITY)
    .map(([name, exporter]) => {
      const consumers = exporter?.sending_queue?.num_consumers ?? DEFAULT_CONSUMERS;
      return signals(name).size * consumers * largestBatch(exporter).bytes;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

/**
 * Where the memory limiter begins to refuse.
 *
 * @param memory the limit of the container, such as `256m`
 * @returns bytes
 */
export function refusesAbove(config: CollectorConfig, memory: string | undefined): number {
  const limiter = config.processors?.['memory_limiter'] as {
    readonly limit_percentage: number;
    readonly spike_limit_percentage: number;
  };
  const mib = Number(/^(\d+)m$/.exec(memory ?? '')?.[1]);
  return (mib * MIB * (limiter.limit_percentage - limiter.spike_limit_percentage)) / 100;
}

/** @returns whether the next receiver, over gRPC, takes the largest batch that an exporter sends */
export function fitsNext(sender: CollectorConfig, exporter: string, receiver: CollectorConfig): boolean {
  return largestBatch(sender.exporters?.[exporter] ?? null).bytes < grpcLimit(receiver);
}
