import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{functions,shared,local,sdk,scripts,test}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Google's clients look for a metadata server otherwise, and warn that there is none.
    env: { METADATA_SERVER_DETECTION: 'none' },
    // Two cores on the smallest machine that runs the suite; each end-to-end file starts a local cloud of its own.
    maxWorkers: 2,
  },
});
