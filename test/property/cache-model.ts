/** The windows that the model knows, in milliseconds; jitter is off. */
export interface ModelRules {
  readonly ttl: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly negativeTtl: number;
  /** Whether answers are told from other errors. */
  readonly picksAnswers: boolean;
  readonly retrySourceAfter: number;
  readonly maxEntries: number;
}

/** How a load will end: with a value, or with an error of a kind; `throws` fails before it returns a promise. */
export type LoadEnd = 'value' | 'down' | 'answer' | 'rejection' | 'throws';

interface Kept {
  readonly key: string;
  readonly storedAt: number;
  readonly text: string;
  readonly isError: boolean;
  retryAt: number;
}

interface Load {
  readonly id: number;
  readonly key: string;
  readonly end: LoadEnd;
  readonly endsAt: number;
  readonly isBackground: boolean;
  readonly waiting: { readonly request: number; readonly isFirst: boolean }[];
  isOver: boolean;
  /** Whether the key still belongs to this load: nobody has deleted it, and somebody waits. */
  isCurrent: boolean;
}

/**
 * A cache in the most obvious way: everything in plain lists, time by single milliseconds, every answer worked out from ages. Each request ends
 * with one line that says how.
 */
export class CacheModel {
  now = 0;
  readonly endings: Map<number, string> = new Map<number, string>();
  readonly #rules: ModelRules;
  /** The one that was not used for the longest time comes first. */
  #kept: Kept[] = [];
  readonly #loads: Load[] = [];

  constructor(rules: ModelRules) {
    this.#rules = rules;
  }

  get loads(): number {
    return this.#loads.length;
  }

  get entries(): number {
    return this.#kept.length;
  }

  /** @param durationMs how long a load takes if this request begins one; 0 ends it with {@link turn} */
  request(request: number, key: string, end: LoadEnd, durationMs: number): void {
    const { ttl, staleWhileRevalidate, staleIfError, negativeTtl } = this.#rules;
    const kept = this.#use(key);
    const age = kept ? this.now - kept.storedAt : Number.POSITIVE_INFINITY;
    const say = (result: string): void => this.#end(request, `${result} ${kept?.text} aged ${age}`);
    if (kept?.isError) {
      if (age < negativeTtl) say('negative');
      else this.#wait(request, key, end, durationMs);
      return;
    }
    if (age < ttl) say('hit');
    else if (kept && age < ttl + staleWhileRevalidate) {
      say('stale');
      if (this.now >= kept.retryAt && !this.#running(key)) this.#begin(key, end, durationMs, []);
    } else if (kept && age < ttl + staleIfError && this.now < kept.retryAt) say('stale_error');
    else this.#wait(request, key, end, durationMs);
  }

  /** The caller of a request gives up. */
  abort(request: number): void {
    const load = this.#loads.find(
      ({ isOver, waiting }) => !isOver && waiting.some((w) => w.request === request),
    );
    if (!load) return;
    load.waiting.splice(
      load.waiting.findIndex((waiter) => waiter.request === request),
      1,
    );
    this.#end(request, 'aborted');
    if (load.waiting.length === 0 && !load.isBackground) load.isCurrent = false;
  }

  delete(key: string): void {
    this.#kept = this.#kept.filter((kept) => kept.key !== key);
    for (const load of this.#loads) if (load.key === key) load.isCurrent = false;
  }

  /** Ends the loads that take no time. */
  turn(): void {
    for (const load of this.#loads) if (!load.isOver && load.endsAt <= this.now) this.#finish(load);
  }

  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1) {
      this.now += 1;
      this.turn();
    }
  }

  #wait(request: number, key: string, end: LoadEnd, durationMs: number): void {
    const running = this.#running(key);
    if (running) running.waiting.push({ request, isFirst: false });
    else this.#begin(key, end, durationMs, [{ request, isFirst: true }]);
  }

  #begin(key: string, end: LoadEnd, durationMs: number, waiting: Load['waiting']): void {
    const id = this.#loads.length + 1;
    const endsAt = this.now + durationMs;
    const isBackground = waiting.length === 0;
    const load = { id, key, end, endsAt, isBackground, waiting, isOver: false, isCurrent: true };
    this.#loads.push(load);
    if (end === 'throws') this.#finish(load);
  }

  #finish(load: Load): void {
    load.isOver = true;
    if (load.end === 'value') {
      if (load.isCurrent) this.#keep(load.key, `v${load.id}`, false);
      this.#tell(load, (isFirst) => `${isFirst ? 'miss' : 'coalesced'} v${load.id} aged 0`);
      return;
    }
    const { ttl, staleWhileRevalidate, staleIfError, negativeTtl, picksAnswers, retrySourceAfter } =
      this.#rules;
    const error = `${load.end}${load.id}`;
    const fail = (): void => this.#tell(load, () => `failed ${error}`);
    if (!load.isCurrent) return fail();
    const kept = this.#kept.find(({ key }) => key === load.key);
    const age = kept && !kept.isError ? this.now - kept.storedAt : Number.POSITIVE_INFINITY;
    const canRemember = negativeTtl > 0 && load.end !== 'rejection';
    const isAnswer = canRemember && picksAnswers && load.end === 'answer';
    if (kept && !isAnswer && age < ttl + Math.max(staleWhileRevalidate, staleIfError)) {
      kept.retryAt = this.now + retrySourceAfter;
      const asError = age < ttl + staleIfError;
      this.#tell(
        load,
        (isFirst) => `${asError ? 'stale_error' : isFirst ? 'stale' : 'coalesced'} ${kept.text} aged ${age}`,
      );
      return;
    }
    if (isAnswer || (canRemember && !picksAnswers)) this.#keep(load.key, error, true);
    else this.#kept = this.#kept.filter(({ key }) => key !== load.key);
    fail();
  }

  #tell(load: Load, say: (isFirst: boolean) => string): void {
    for (const { request, isFirst } of load.waiting) this.#end(request, say(isFirst));
  }

  #running(key: string): Load | undefined {
    return this.#loads.find((load) => load.key === key && load.isCurrent && !load.isOver);
  }

  #use(key: string): Kept | undefined {
    const kept = this.#kept.find((candidate) => candidate.key === key);
    if (kept) this.#kept = [...this.#kept.filter((other) => other !== kept), kept];
    return kept;
  }

  #keep(key: string, text: string, isError: boolean): void {
    const others = this.#kept.filter((kept) => kept.key !== key);
    const kept = { key, text, isError, storedAt: this.now, retryAt: this.now };
    this.#kept = [...others, kept].slice(-this.#rules.maxEntries);
  }

  #end(request: number, line: string): void {
    this.endings.set(request, `${line} at ${this.now}`);
  }
}
