import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const SHOWN = 10;

/**
 * Reports, after a run of more files than it names, which took longest, with their hooks and imports: where to look when
 * the suite has become slow. Files run side by side, so that together they take longer than the run.
 */
export default function reportSlowestFiles(): Reporter {
  return {
    onTestRunEnd(modules) {
      if (modules.length > SHOWN) process.stdout.write(describeSlowest(modules));
    },
  };
}

function describeSlowest(modules: readonly TestModule[]): string {
  const files = modules.map((module) => {
    const { duration, collectDuration } = module.diagnostic();
    return { name: relative(process.cwd(), module.moduleId), seconds: (duration + collectDuration) / 1000 };
  });
  const slowest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, SHOWN);
  const lines = slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}\n`);
  return `\nThe slowest of ${files.length} files:\n${lines.join('')}`;
}
