import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { ClosingLineReporter } from '../support/closing-line-reporter.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/compose/**/*.test.ts'],
    globalSetup: ['test/compose/support/daemon-setup.ts'],
    reporters: ['default', new ClosingLineReporter()],
    // One daemon, and one project name: one file at a time.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

export default config;
