import type { Context } from '@opentelemetry/api';
import { createContextKey } from '@opentelemetry/api';
import type { Random } from '../core/random.ts';
import type { Clock } from '../core/time/clock.ts';

/** Something that knows the request id of the call in whose context it lies. */
export interface RequestIdHolder {
  readonly requestId: string;
}

/** Ids that a caller may bring along: anything that cannot break a log line or a header. */
const ACCEPTED = /^[\w.:-]{1,128}$/;
const KEY = createContextKey('keelson.request.id');

/** Three draws of 20 bits: a number that small is written in hexadecimal without a detour through the heap. */
const DRAW = 0x100000;

/**
 * Makes request ids of the form `req_YYYYMMDD_HHMMSS_xxxxxxxxxxxxxxx`: UTC, and 60 random bits as 15 hexadecimal digits. A million ids within one
 * second, of however many processes, collide with a chance of one in two million.
 * @returns a function that gives one id at each call
 */
export function requestIdMaker(clock: Clock, random: Random): () => string {
  let second = Number.NaN;
  let prefix = '';
  return () => {
    const now = Math.floor(clock.epoch() / 1_000);
    if (now !== second) {
      second = now;
      const [date = '', time = ''] = new Date(now * 1_000).toISOString().split('T');
      prefix = `req_${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}_`;
    }
    return prefix + digits(random) + digits(random) + digits(random);
  };
}

/** Five hexadecimal digits. The bit above them keeps the zeros in front. */
function digits(random: Random): string {
  return (DRAW + Math.floor(random() * DRAW)).toString(16).slice(1);
}

/** Whether a caller's id can be used as it is. */
export function isRequestId(id: unknown): id is string {
  return typeof id === 'string' && ACCEPTED.test(id);
}

/** @returns `context` with the request id of `holder`, which is asked only when somebody wants to know */
export function withRequestId(context: Context, holder: RequestIdHolder): Context {
  return context.setValue(KEY, holder);
}

/** The id of the guarded call in whose context this is; `undefined` outside of one. */
export function requestIdFrom(context: Context): string | undefined {
  const holder = context.getValue(KEY) as RequestIdHolder | undefined;
  return holder?.requestId;
}
