import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{commands,functions,shared,local,sdk,scripts,test}/**/*.test.ts'],
    // Two suites at a time share two cores, and some tests start a whole cloud.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Google's clients look for a metadata server otherwise, and warn that there is none.
    env: { METADATA_SERVER_DETECTION: 'none' },
    // Two cores on the smallest machine that runs the suite; each end-to-end file starts a local cloud of its own.
    maxWorkers: 2,
  },
});
