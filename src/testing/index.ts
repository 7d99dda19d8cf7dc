export { FakeClock, settlePromises } from './fake-clock.ts';
export type { ContractTest, LimiterStoreSeat } from './limiter-store-contract.ts';
export { limiterStoreContract } from './limiter-store-contract.ts';
export { seededRandom } from './seeded-random.ts';
