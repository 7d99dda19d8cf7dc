import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from 'keelson/testing';

/** What became of the shoppers. */
export interface Shoppers {
  came: number;
  ordered: number;
  refused: number;
  /** Left before there was an answer. */
  gaveUp: number;
}

const PER_SECOND = 20;
/** The share of shoppers who leave after a moment. */
const HASTY = 0.06;
const MOST_AT_ONCE = 100;

async function shop(url: string, patienceMs: number, counts: Shoppers): Promise<void> {
  counts.came += 1;
  try {
    const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(patienceMs) });
    await response.text();
    if (response.ok) counts.ordered += 1;
    else counts.refused += 1;
  } catch {
    counts.gaveUp += 1;
  }
}

/**
 * Sends shoppers to the checkout until `signal` aborts, then waits for those who are still there.
 * @param url the storefront
 * @param seed where chance begins: when somebody comes, and who has no patience
 * @param counts is kept up to date
 */
export async function sendShoppers(
  url: string,
  seed: number,
  counts: Shoppers,
  signal: AbortSignal,
): Promise<void> {
  const random = seededRandom(seed);
  const inside = new Set<Promise<void>>();
  while (!signal.aborted) {
    const patienceMs = random() < HASTY ? Math.round(10 + random() * 60) : 10_000;
    if (inside.size < MOST_AT_ONCE) {
      const visit = shop(`${url}/checkout`, patienceMs, counts).finally(() => inside.delete(visit));
      inside.add(visit);
    }
    await sleep((1_000 / PER_SECOND) * (0.5 + random()), undefined, { signal }).catch(() => {});
  }
  await Promise.all(inside);
}
