import { guarded } from 'keelson';
import { expectTypeOf, test } from 'vitest';

class Payments {
  @guarded('payments', { retry: {} })
  async charge(amount: number): Promise<string> {
    return String(amount);
  }

  // @ts-expect-error -- a method that returns no promise would have to return one under a guard
  @guarded('payments')
  currency(): string {
    return 'EUR';
  }
}

test('a guarded method keeps its type', () => {
  expectTypeOf<Payments['charge']>().toEqualTypeOf<(amount: number) => Promise<string>>();
});
