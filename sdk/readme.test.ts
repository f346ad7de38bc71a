import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { bundleForTest } from './bundle-for-test.ts';
import * as sdk from './index.ts';
import { recordRequests } from './record-requests-for-test.ts';

const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');

describe('the examples', () => {
  const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

  test.each(examples.map((code) => ({ code, name: /new (\w+)/.exec(code)?.[1] })))(
    'of $name runs, delivers and ends by itself',
    async ({ code }) => {
      await using server = await recordRequests({ status: 200, body: '' });
      const here = code
        .replaceAll(/'tributary-sdk(?:\/(\w+))?'/g, (_all, entry = 'index') =>
          JSON.stringify(join(import.meta.dirname, `${entry}.ts`)),
        )
        .replace(/https:\/\/[\w.:]+/, server.url);
      const program = await bundleForTest({ code: here });
      const child = spawn(process.execPath, [program.path], { stdio: ['ignore', 'inherit', 'pipe'] });
      const [problems, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
      program.remove();
      expect(problems).toBe('');
      expect(status).toBe(0);
      expect(server.requests.length).toBeGreaterThan(0);
    },
  );
});

describe('the tables', () => {
  /** The last cells of the rows of a section. */
  const lastCells = (heading: string) => {
    const section = readme.split(/^## /m).find((one) => one.startsWith(heading)) ?? '';
    return [...section.matchAll(/^\|.*\|([^|]*)\|$/gm)].map(([, cell = '']) => cell).join(' ');
  };
  const methodsOf = (tracker: object): string[] => {
    if (tracker === Object.prototype) return [];
    const own = Object.getOwnPropertyNames(tracker).filter((name) => name !== 'constructor');
    return [...own, ...methodsOf(Object.getPrototypeOf(tracker))];
  };

  test.each([
    { heading: 'From Analysys', tracker: sdk.AnalysysTracker.prototype },
    { heading: 'From GrowingIO', tracker: sdk.GrowingTracker.prototype },
  ])('$heading name every method, and none that is not there', ({ heading, tracker }) => {
    const cells = lastCells(heading);
    const methods = methodsOf(tracker);
    expect(methods.filter((method) => !cells.includes(`${method}(`))).toEqual([]);
    const others = ['snappy', ...Object.keys(sdk)];
    const named = [...cells.matchAll(/`(?:new )?(\w+)\(/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !methods.includes(name) && !others.includes(name))).toEqual([]);
  });
});
