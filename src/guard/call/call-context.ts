/** What the guarded function is given. */
export interface CallContext {
  /** 0 for the first execution, as cockatiel counts. */
  readonly attempt: number;
  /** Aborted when nobody waits for the result any more. Pass it on, so that the work really stops. */
  readonly signal: AbortSignal;
  /** The id under which span, log and error know this call. */
  readonly requestId: string;
}
