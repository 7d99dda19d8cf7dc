export { FakeClock, settlePromises } from './fake-clock.ts';
export { seededRandom } from './seeded-random.ts';
