import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** The tests that judge the mutants of `src/core` and `src/policies`: those that need neither a server, nor a process, nor the built package. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: [
      'test/unit/{core,policies,guard,signals}/**/*.test.ts',
      'test/property/{backoff,breaker-*,bulkhead-*,cache,deadlines,rate-limit,rate-limit-ticks}.test.ts',
    ],
    // It starts processes, and guards methods only.
    exclude: ['test/unit/guard/guarded.test.ts'],
    testTimeout: 4_000,
    hookTimeout: 4_000,
  },
});

export default config;
