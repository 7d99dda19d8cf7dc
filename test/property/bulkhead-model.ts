/** What the model knows of a bulkhead; the attempt timeout is that of the guard around it. */
export interface BulkheadRules {
  readonly concurrent: number;
  readonly queue: number;
  /** Odd, where calls come at even times: a call leaves the queue at a moment at which no slot becomes free. */
  readonly queueTimeout: number | undefined;
  /** Even. */
  readonly attemptTimeout: number | undefined;
}

interface Held {
  readonly id: number;
  readonly since: number;
}

/** A bulkhead in the most obvious way: two plain lists, and time by single milliseconds. */
export class BulkheadModel {
  now = 0;
  readonly endings: Map<number, string> = new Map<number, string>();
  /** Every function that was called, in that order. */
  readonly started: number[] = [];
  running: Held[] = [];
  queue: Held[] = [];
  readonly #rules: BulkheadRules;

  constructor(rules: BulkheadRules) {
    this.#rules = rules;
  }

  call(id: number): void {
    if (this.running.length < this.#rules.concurrent) this.#start(id);
    else if (this.queue.length < this.#rules.queue) this.queue.push({ id, since: this.now });
    else this.#end(id, 'rejected full');
  }

  /** The function ends; one that nobody waits for any more changes nothing. */
  settle(id: number, outcome: 'success' | 'failure'): void {
    this.#leave(id, outcome);
  }

  abort(id: number): void {
    if (this.queue.some((held) => held.id === id)) {
      this.queue = this.queue.filter((held) => held.id !== id);
      this.#end(id, 'cancelled');
    } else this.#leave(id, 'cancelled');
  }

  advance(ms: number): void {
    const { queueTimeout = Number.POSITIVE_INFINITY, attemptTimeout = Number.POSITIVE_INFINITY } =
      this.#rules;
    for (let passed = 0; passed < ms; passed += 1) {
      this.now += 1;
      for (const { id } of this.queue.filter(({ since }) => this.now - since >= queueTimeout)) {
        this.queue = this.queue.filter((held) => held.id !== id);
        this.#end(id, 'rejected queue_timeout');
      }
      for (const { id } of this.running.filter(({ since }) => this.now - since >= attemptTimeout))
        this.#leave(id, 'timeout');
    }
  }

  #start(id: number): void {
    this.running.push({ id, since: this.now });
    this.started.push(id);
  }

  #leave(id: number, ending: string): void {
    if (!this.running.some((held) => held.id === id)) return;
    this.running = this.running.filter((held) => held.id !== id);
    this.#end(id, ending);
    const next = this.queue.shift();
    if (next) this.#start(next.id);
  }

  #end(id: number, ending: string): void {
    this.endings.set(id, `${ending} at ${this.now}`);
  }
}
