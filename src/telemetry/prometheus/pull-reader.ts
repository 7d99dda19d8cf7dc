import { MetricReader } from '@opentelemetry/sdk-metrics';

/** Reads the metrics when it is asked to, and at no other time; cumulative, as Prometheus needs them. */
export class PullReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}
