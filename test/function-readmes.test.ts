import { describe, expect, test, vi } from 'vitest';
import type { ZodObject } from 'zod';
import { readTable } from './markdown-table.ts';
import { listFiles, readText } from './repository-files.ts';

const shapes = vi.hoisted((): ZodObject[] => []);

// A function reads its environment first of all: there the shape is taken, and nothing after it runs.
vi.mock('../shared/configuration/read-configuration.ts', async (load) => ({
  ...(await load<object>()),
  readConfiguration(shape: ZodObject): never {
    shapes.push(shape);
    throw new Error('the shape is known');
  },
}));

/** Name, meaning and default of every variable that the function reads. */
async function readVariables(name: string): Promise<string[][]> {
  await expect(import(`../functions/${name}/index.ts`)).rejects.toThrow('the shape is known');
  const shape = shapes.pop()!;
  return Object.entries(shape.shape).map(([variable, field]) => {
    const absent = field.safeParse(undefined);
    const standard = absent.success && absent.data !== undefined ? [String(absent.data)] : [];
    return [variable, String(field.description), ...standard];
  });
}

const functions = listFiles()
  .map((path) => /^functions\/([\w-]+)\/index\.ts$/.exec(path)?.[1])
  .filter((name) => name !== undefined);

describe.each(functions)('functions/%s/README.md', (name) => {
  const readme = readText(`functions/${name}/README.md`);

  test('says what the function must do', () => {
    expect(readme).toMatch(/\nIt must\n\n(- .+;\n)+- .+\.\n/);
  });

  test('names every environment variable with its default, and none that it does not read', async () => {
    const variables = await readVariables(name);
    const rows = readTable(readme, '| Variable ');
    expect(rows.map(([variable]) => variable)).toEqual(variables.map(([variable]) => variable));
    for (const [index, [, , standard]] of variables.entries()) {
      if (standard === undefined) continue;
      expect(rows[index]?.slice(1).join(' ')).toMatch(new RegExp(`(^|[\\s\`])${standard}($|[\\s\`])`));
    }
  });
});

test('the table of ingest says what its code says of each variable', async () => {
  const rows = readTable(readText('functions/ingest/README.md'), '| Variable ');
  vi.resetModules();
  expect(rows.map((row) => row.filter((cell) => cell !== ''))).toEqual(await readVariables('ingest'));
});

test('the table of what the stock framework loses is that of its test', () => {
  const rows = readTable(readText('functions/ingest/README.md'), '## Under the stock framework');
  const source = readText('test/stock-framework.test.ts');
  const known = [...source.matchAll(/'([\w.-]+\.json)': \{\s+status: (\d+),\s+why: '([^']+)'/g)];
  expect(known.length).toBeGreaterThan(0);
  for (const [, file = '', status = '', why = ''] of known) {
    const row = rows.find(([request = '']) => request.includes(file));
    expect(row?.[1]).toBe(status);
    expect(row?.[2]?.replaceAll('`', '')).toContain(why.split(' is ')[0]);
  }
  // Besides the recorded requests its test has one of broken JSON.
  expect(rows).toHaveLength(known.length + 1);
  expect(rows.at(-1)?.[1]).toBe(/toBe\((4\d\d)\)/.exec(source)?.[1]);
});
