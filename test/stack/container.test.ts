import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrived, shownSamples } from './support/backend-queries.ts';
import { ContainedService } from './support/contained-service.ts';
import { complaint, queriesShownBy } from './support/dashboard-queries.ts';
import { Stack } from './support/stack.ts';

let stack: Stack;
let service: ContainedService;

beforeAll(async () => {
  stack = await Stack.start();
  service = new ContainedService('contained', stack);
});

afterAll(async () => {
  await service?.stop();
  await stack?.stop();
});

test.each(queriesShownBy('container.test.ts'))(
  'a container is on the dashboard: $where',
  async ({ where, expr }) => {
    expect(complaint(where, await shownSamples(stack, expr))).toBeUndefined();
  },
);

test('its figures are those of its control group', async () => {
  const [share] = queriesShownBy('container.test.ts').filter(({ where }) => where.includes('memory'));
  const [sample] = await arrived(stack, share?.expr ?? '');
  expect(Number(sample?.value[1])).toBeCloseTo((230_000_000 - 15_251_636) / 268_435_456, 6);
});
