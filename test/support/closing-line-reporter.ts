import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** How many tests ended how; a file or a suite that broke outside its tests counts as one failed test. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The line that CI reads. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Counts tests and type tests alike, and everything that went wrong outside a test: no test at all is such a thing. */
export function tally(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Tally {
  let passed = 0;
  let skipped = 0;
  let failed = unhandled.length;
  for (const module of modules) {
    if (module.errors().length > 0) failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'skipped') skipped += 1;
      else failed += 1;
    }
  }
  const none = passed + failed + skipped === 0;
  return { passed, failed: none ? 1 : failed, skipped };
}

/**
 * Writes {@link closingLine} as the very last line of the output: when the process exits, after every other reporter and after what Vitest
 * itself has to say. A run that ends before its tests did counts as failed. The exit code stays Vitest's own.
 */
export class ClosingLineReporter implements Reporter {
  #tally: Tally = { passed: 0, failed: 1, skipped: 0 };

  onInit(): void {
    process.once('exit', () => {
      process.stdout.write(`\n${closingLine(this.#tally)}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    this.#tally = tally(modules, unhandled);
  }
}
