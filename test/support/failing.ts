/** A function for a guard that fails so many times, then gives `ok`; it counts its executions. */
export interface Failing {
  (): Promise<string>;
  executions: number;
}

export function failing(times: number, error: unknown = new Error('no')): Failing {
  const fn = async (): Promise<string> => {
    fn.executions += 1;
    if (fn.executions <= times) throw error;
    return 'ok';
  };
  fn.executions = 0;
  return fn;
}
