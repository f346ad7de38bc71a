import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/**
 * Reports, after a run, every test that failed and passed when it was tried again, with why it failed: a defect, of the test
 * or of what it judges, that shows only on some machines or in some order.
 */
export default function reportSecondTries(): Reporter {
  return {
    onTestRunEnd(modules) {
      const tests = modules.flatMap(listSecondTries);
      if (tests.length > 0) process.stdout.write(describeAll(tests));
    },
  };
}

const listSecondTries = (module: TestModule): TestCase[] =>
  [...module.children.allTests()].filter((test) => test.diagnostic()?.flaky === true);

const describeAll = (tests: readonly TestCase[]): string =>
  `\n!!! ${tests.length} passed only when tried again; each is a defect to be found:\n${tests.map(describe).join('')}`;

function describe(test: TestCase): string {
  const errors = (test.result().errors ?? []).map(({ message }) => `      ${message.split('\n')[0]}\n`);
  return `    ${relative(process.cwd(), test.module.moduleId)} > ${test.fullName}\n${errors.join('')}`;
}
