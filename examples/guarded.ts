// Methods of a class under a guard. Standard decorators need a compiler: npx tsc, then run the result with npx node.
import { callContext, guarded } from 'keelson';

class Payments {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  @guarded('payments', { retry: { retries: 3, delay: '100ms' }, timeout: { attempt: '2s', total: '10s' } })
  async balance(account: string): Promise<string> {
    return this.#ask(account);
  }

  @guarded('payments', { idempotent: false })
  async charge(amount: string): Promise<string> {
    return this.#ask(amount);
  }

  async #ask(path: string): Promise<string> {
    const response = await fetch(`${this.url}${path}`, { signal: callContext()?.signal ?? null });
    if (!response.ok) throw new Error(`payments answered ${response.status}`);
    return response.text();
  }
}

const payments = new Payments(process.env['PAYMENTS_URL'] ?? 'data:,paid-');
console.log(await payments.balance('42'), await payments.charge('7'));
