import { ATTR_GUARD_NAME } from '../../../src/signals/semconv.ts';
import { prometheusLabel } from '../../../src/telemetry/prometheus/prometheus-name.ts';
import { until } from './poll.ts';
import type { ShopService } from './shop-service.ts';
import type { Stack } from './stack.ts';
import type { Notice } from './webhook.ts';

const NOTIFIED_MS = 20_000;
const RESOLVED_MS = 30_000;

/** A dependency that failed for a while, as an operator hears of it. Moments are epoch milliseconds. */
export interface FaultRun {
  /** The first call that failed was made after it. */
  readonly failingAt: number;
  /** When the breaker opened. */
  readonly openedAt: number;
  readonly firing: Notice;
  /** When the breaker closed at last. */
  readonly closedAt: number;
  readonly resolved: Notice;
}

/** The labels of the alert about the shop's guard. */
export function openBreakerLabels(shop: ShopService): Readonly<Record<string, string>> {
  return {
    alertname: 'CircuitBreakerOpen',
    service_name: shop.name,
    [prometheusLabel(ATTR_GUARD_NAME)]: shop.guard.name,
  };
}

/**
 * Lets the dependency of a shop fail until its page has been notified, and then recover until that has been notified too, so that another
 * run can follow in the same stack.
 *
 * @param shop must be under load
 * @throws where a notification does not come
 */
export async function runFault(stack: Stack, shop: ShopService): Promise<FaultRun> {
  const labels = openBreakerLabels(shop);
  const failingAt = Date.now();
  shop.failures = Number.POSITIVE_INFINITY;
  const firing = await until(
    'the notification',
    async () => stack.webhook.find('firing', labels, failingAt),
    NOTIFIED_MS,
  );
  shop.failures = 0;
  const resolved = await until(
    'the resolution',
    async () => stack.webhook.find('resolved', labels, firing.at),
    RESOLVED_MS,
  );
  const openedAt = shop.openedAt.find((moment) => moment >= failingAt) ?? Number.NaN;
  return { failingAt, openedAt, firing, closedAt: shop.closedAt.at(-1) ?? Number.NaN, resolved };
}
