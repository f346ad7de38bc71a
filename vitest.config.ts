import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import reportSecondTries from './scripts/second-tries.ts';
import reportSlowestFiles from './scripts/slowest-files.ts';

/** Files that start a whole local cloud, and those of fold, take longest: were they last, one worker would end alone with them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) =>
      /\/(test\/.+|functions\/fold\/.+|(commands|local|sdk)\/[^/]+)$/.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

// Every worker, and every function and command that a test starts, would compile Google's clients anew.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compile', import.meta.url));

export default defineConfig({
  test: {
    include: ['{commands,functions,shared,local,sdk,scripts,test}/**/*.test.ts'],
    // Two suites at a time share two cores, and some tests start a whole cloud.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Whole clouds run on machines that are busy with other things. What passes only then is named at the end, with its error.
    retry: 1,
    // What is waited for comes late where the machine is busy; nothing is to fail for that.
    expect: { poll: { timeout: 60_000 } },
    // Google's clients look for a metadata server otherwise, and warn that there is none.
    env: { METADATA_SERVER_DETECTION: 'none' },
    // One more than the cores of the smallest machine that runs the suite: end-to-end files wait half of their time, for
    // redeliveries, for rows to come, and for processes to start one after the other.
    maxWorkers: 3,
    // Loading Google's clients anew for each file would take a third of the CPU of tests of units. No test leaves modules changed.
    isolate: false,
    reporters: ['default', reportSlowestFiles(), reportSecondTries()],
    sequence: { sequencer: LongestFirst },
  },
});
