import { fileURLToPath } from 'node:url';
import * as cockatiel from 'cockatiel';
import type { Benchmark, Variant } from './harness.ts';
import { runBenchmark } from './harness.ts';
import { instrumented, startSdk, startSdkWithExemplars, underUnsampledParent } from './telemetry.ts';

/** What everybody guards: an async function that does nothing. */
const work = async (): Promise<number> => 42;

/** cockatiel's wrap of retry, breaker, bulkhead and timeout. */
function wrap4(): cockatiel.IPolicy {
  return cockatiel.wrap(
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 1_000,
      breaker: new cockatiel.ConsecutiveBreaker(5),
    }),
    cockatiel.bulkhead(100, 100),
    cockatiel.timeout(5_000, cockatiel.TimeoutStrategy.Aggressive),
  );
}

/** opossum with its breaker and its timeout, which are on by default. */
async function opossum(): Promise<() => Promise<unknown>> {
  const { default: CircuitBreaker } = await import('opossum');
  const breaker = new CircuitBreaker(work, { errorThresholdPercentage: 50 });
  return () => breaker.fire();
}

/** Our guard with the same four policies. */
async function guard4(
  fn: (context: { signal: AbortSignal }) => Promise<number> = work,
): Promise<() => Promise<number>> {
  const { guard } = await import('keelson');
  const payments = guard('payments', {
    retry: { retries: 3 },
    breaker: { failures: 5 },
    bulkhead: { concurrent: 100, queue: 100 },
    timeout: { attempt: '5s' },
  });
  return () => payments.run('charge', fn);
}

async function breakerOnly(): Promise<() => Promise<number>> {
  const { guard } = await import('keelson');
  const payments = guard('payments', { breaker: { failures: 5 } });
  return () => payments.run('charge', work);
}

function cockatielBreaker(): () => Promise<number> {
  const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
    halfOpenAfter: 1_000,
    breaker: new cockatiel.ConsecutiveBreaker(5),
  });
  return () => breaker.execute(work);
}

async function observed(): Promise<() => Promise<number>> {
  const { observe } = await import('keelson');
  const policy = observe(wrap4(), { name: 'payments', operation: 'charge' });
  return () => policy.execute(work);
}

function signalReader({ signal }: { signal: AbortSignal }): Promise<number> {
  return signal.aborted ? Promise.resolve(0) : work();
}

/** How many deadlines of different lengths there have been before the calls that are measured. */
const LENGTHS = 100_000;

/** A timeout of a length of its own for each call, as of those who pass on what is left of a request's time; after 100,000 others. */
async function lengths(make: (ms: number) => cockatiel.IPolicy): Promise<() => Promise<number>> {
  let calls = 0;
  const call = (): Promise<number> => {
    calls += 1;
    return make(1_000 + calls * 0.37).execute(work);
  };
  while (calls < LENGTHS) await call();
  return call;
}

async function timeoutLengths(): Promise<() => Promise<number>> {
  const { timeout } = await import('keelson');
  return lengths(timeout);
}

const peers: Readonly<Record<string, () => Promise<() => Promise<unknown>>>> = {
  bare: async () => work,
  'cockatiel.wrap4': async () => {
    const policy = wrap4();
    return () => policy.execute(work);
  },
  opossum,
};

/** Each peer with the telemetry that people write by hand. */
function peersWith(
  suffix: string,
  wrapCall: (call: () => Promise<unknown>) => () => Promise<unknown>,
): Record<string, Variant> {
  return Object.fromEntries(
    Object.entries(peers).map(([name, make]) => [
      `${name}.${suffix}`,
      async () => {
        startSdk();
        return wrapCall(instrumented(await make()));
      },
    ]),
  );
}

const benchmark: Benchmark = {
  file: fileURLToPath(import.meta.url),
  variants: {
    ...peers,
    'guard.plain': () => guard4(),
    'guard.plain.signal': () => guard4(signalReader),
    'cockatiel.breaker': async () => cockatielBreaker(),
    'guard.breaker': breakerOnly,
    'cockatiel.timeout.lengths': () =>
      lengths((ms) => cockatiel.timeout(ms, cockatiel.TimeoutStrategy.Aggressive)),
    'timeout.lengths': timeoutLengths,
    ...peersWith('unsampled', underUnsampledParent),
    'guard.unsampled': async () => {
      startSdk();
      return underUnsampledParent(await guard4());
    },
    ...peersWith('telemetry', (call) => call),
    'guard.telemetry': async () => {
      startSdk();
      return guard4();
    },
    'guard.telemetry.signal': async () => {
      startSdk();
      return guard4(signalReader);
    },
    'guard.telemetry.exemplars': async () => {
      startSdkWithExemplars();
      return guard4();
    },
    'guard.telemetry.2readers': async () => {
      startSdk(2);
      return guard4();
    },
    'observe.wrap4.telemetry': async () => {
      startSdk();
      return observed();
    },
  },
  goals: [
    { over: 'guard.plain', under: 'cockatiel.wrap4', atMost: 0.35 },
    { over: 'guard.telemetry', under: 'cockatiel.wrap4', atMost: 0.9 },
    { over: 'guard.telemetry.exemplars', under: 'cockatiel.wrap4', atMost: 0.9 },
    { over: 'guard.unsampled', under: 'cockatiel.wrap4', atMost: 0.55 },
    { over: 'guard.plain', under: 'opossum', atMost: 1.5 },
    { over: 'guard.plain.signal', under: 'cockatiel.wrap4' },
    { over: 'guard.breaker', under: 'cockatiel.breaker', atMost: 1.3 },
    { over: 'timeout.lengths', under: 'cockatiel.timeout.lengths', atMost: 1.5 },
    { over: 'guard.telemetry', under: 'cockatiel.wrap4.telemetry' },
    { over: 'guard.telemetry.2readers', under: 'guard.telemetry' },
    { over: 'guard.telemetry.exemplars', under: 'guard.telemetry' },
    { over: 'observe.wrap4.telemetry', under: 'cockatiel.wrap4.telemetry' },
  ],
};

await runBenchmark(benchmark);
