/** What an error says, in one line, with what its cause says: `fetch failed: connect ECONNREFUSED 127.0.0.1:8081`. */
export function errorLine(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const lines = cause === undefined ? [says(error)] : [says(error), says(cause)];
  return lines.join(': ');
}

/** Several refused connections, as to both addresses of localhost, come as one error without a message: the first one speaks for them. */
function says(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return says(error.errors[0]);
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}
