import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 100;

/**
 * Asks until the answer is there. Real processes give no other sign.
 *
 * @param what what is waited for, for the message
 * @param ask gives undefined, or throws, as long as it is not there
 * @param timeoutMs the bound
 * @throws after the bound, with the last failure as cause
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  timeoutMs: number,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause: failure });
    }
    await delay(INTERVAL_MS);
  }
}

/** @returns the JSON that an address answers with; undefined for any other status than 2xx */
export async function getJson<T>(url: string): Promise<T | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  const text = await response.text();
  return response.ok ? (JSON.parse(text) as T) : undefined;
}

/** @returns true once an address answers with 2xx */
export async function isUp(url: string): Promise<true | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.ok ? true : undefined;
}
