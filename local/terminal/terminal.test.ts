import { describe, expect, test } from 'vitest';
import { formatResult } from '../query.ts';
import { parseQuery } from '../query-options.ts';
import { clip, displayWidth } from './display-width.ts';
import { formatTable } from './format-table.ts';
import { createLiveLines } from './live-lines.ts';

const whole = { width: undefined, color: false };

describe('a table', () => {
  test('aligns Chinese by the two columns it takes, and numbers to the right', () => {
    const columns = [
      { name: 'name', align: 'left' as const },
      { name: 'n', align: 'right' as const },
    ];
    expect(
      formatTable(
        columns,
        [
          ['跑步机', '5'],
          ['mat', '1000'],
        ],
        whole,
      ),
    ).toEqual(['name       n', '──────  ────', '跑步机     5', 'mat     1000']);
  });

  test('fits the terminal by clipping the widest columns', () => {
    const columns = [
      { name: 'id', align: 'left' as const },
      { name: 'text', align: 'left' as const },
    ];
    const lines = formatTable(columns, [['7', '长'.repeat(40)]], { width: 24, color: false });
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(24);
    expect(lines[2]).toBe(`7   ${'长'.repeat(9)}…`);
  });

  test('shows control characters of a cell and never sends them', () => {
    expect(formatTable([{ name: 'x', align: 'left' }], [['a\u001b[2J\nb']], whole)[2]).toBe(
      'a\\u001b[2J\\nb',
    );
  });
});

test('the width of a text is that of what a terminal shows', () => {
  expect(['abc', '上海', 'é', 'e\u0301', '👩‍👩‍👧', '한국', 'ﾊ'].map(displayWidth)).toEqual([
    3, 4, 1, 1, 2, 4, 1,
  ]);
  expect(clip('上海市', 5)).toBe('上海…');
});

describe('a result', () => {
  const fields = [
    { name: 'n', type: 'INTEGER' },
    { name: 'at', type: 'TIMESTAMP' },
    { name: 'properties', type: 'JSON' },
    { name: 'tags', type: 'STRING', mode: 'REPEATED' },
  ];
  const rows = [
    {
      n: { value: '9007199254740993' },
      at: { value: '2026-11-21T21:05:08.724001Z' },
      properties: '{"a":[1]}',
      tags: ['x', 'y'],
    },
    { n: { value: '1' }, at: null, properties: null, tags: [] },
  ];

  test('in JSON is an array with a row per line; integers beyond 2^53 keep their digits as text', () => {
    expect(formatResult({ fields, rows }, 'json', whole)).toBe(
      '[\n{"n":"9007199254740993","at":"2026-11-21T21:05:08.724001Z","properties":{"a":[1]},"tags":["x","y"]},\n' +
        '{"n":1,"at":null,"properties":null,"tags":[]}\n]\n',
    );
    expect(formatResult({ fields, rows: [] }, 'json', whole)).toBe('[]\n');
  });

  test('in CSV quotes what has to be, ends lines with CRLF, and leaves NULL empty', () => {
    expect(formatResult({ fields, rows }, 'csv', whole)).toBe(
      'n,at,properties,tags\r\n9007199254740993,2026-11-21T21:05:08.724001Z,"{""a"":[1]}","[""x"",""y""]"\r\n1,,,[]\r\n',
    );
  });

  test('as a table shows NULL and readable times', () => {
    const lines = formatResult({ fields, rows }, 'table', whole).split('\n');
    expect(lines[2]).toBe('9007199254740993  2026-11-21 21:05:08.724001  {"a":[1]}   ["x","y"]');
    expect(lines[3]).toMatch(/^ {15}1 {2}NULL +NULL +\[\]$/);
  });
});

describe('the parameters of a query', () => {
  const typesOf = (...given: string[]) => {
    const parsed = parseQuery(['SELECT 1', ...given.flatMap((one) => ['--param', one])], {});
    return parsed.kind === 'options' ? parsed.options.parameters.map(({ type }) => type) : parsed;
  };

  test('have the type of their form, or the one given', () => {
    expect(
      typesOf('a=5', 'b=1.5', 'c=true', 'd=2026-01-01', 'e=2026-01-01T00:00:00Z', 'f=x=y', 'g:STRING=5'),
    ).toEqual(['INT64', 'FLOAT64', 'BOOL', 'DATE', 'TIMESTAMP', 'STRING', 'STRING']);
  });

  test('that cannot be read are refused by name', () => {
    expect(typesOf('nothing')).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('"nothing"'),
    });
    expect(typesOf('a:INT=5')).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('--param a'),
    });
  });
});

describe('a live line', () => {
  function show(lines: string[], quiet = false): string[] {
    const written: string[] = [];
    const live = createLiveLines({
      write: (line) => written.push(line),
      color: false,
      quiet,
      now: () => new Date(2026, 0, 1, 12),
    });
    for (const line of lines) live({ kind: 'line', name: 'ingest', stream: 'stdout', line });
    return written;
  }
  const accepted =
    '{"severity":"INFO","message":"batch accepted","batch_id":"b","dialect":"analysys","project":"商店","events":2,"quarantined":1}';

  test('tells project, dialect, events and what was quarantined', () => {
    expect(show([accepted])).toEqual([
      `12:00:00  ingest  商店${' '.repeat(16)} analysys   2 events, 1 quarantined`,
    ]);
    expect(show([accepted], true)).toEqual([]);
  });

  test('of metrics is not for a person', () => {
    expect(show(['{"severity":"INFO","message":"metrics","function":"ingest","metrics":{}}'])).toEqual([]);
  });

  test('of a failure is shown even when quiet, and once where it repeats', () => {
    const failed = (id: number) => `{"severity":"ERROR","message":"publish_failed","batch_id":"${id}"}`;
    expect(show([failed(1), failed(2), failed(3)], true)).toEqual([
      '12:00:00  ingest  ERROR publish_failed  batch_id=1',
    ]);
  });
});
