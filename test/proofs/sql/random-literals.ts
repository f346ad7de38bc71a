import fc from 'fast-check';

export type Sql = fc.Arbitrary<string>;

/** Literals at the edges: nothing, zero, the ends of a type's range, other scripts, the hours that clocks skip or repeat. */
const pick = (...texts: string[]): Sql => fc.constantFrom(...texts);

const quoted = (...texts: string[]): string[] => texts.map((text) => `'${text}'`);

export const literals = {
  int: pick(
    ...['0', '1', '2', '-1', '7', '-7', '10', '1770000000000', '9007199254740993', 'CAST(NULL AS INT64)'],
    ...['9223372036854775807', '-9223372036854775808'],
  ),
  smallInt: pick('0', '1', '2', '3', '-1', '-2', '5', '100', 'CAST(NULL AS INT64)'),
  /** Of which a text has some: less than none is refused. */
  count: pick('0', '1', '2', '3', '100', 'CAST(NULL AS INT64)'),
  divisor: pick('2', '-3', '7', 'CAST(NULL AS INT64)'),
  float: pick(
    ...['0.0', '1.0', '1.5', '-2.5', '0.1', '2.5', '123456.789', '1e15', '-0.4', '1e-7'],
    ...['CAST(NULL AS FLOAT64)', "CAST('inf' AS FLOAT64)", "CAST('nan' AS FLOAT64)"],
  ),
  bool: pick('TRUE', 'FALSE', 'CAST(NULL AS BOOL)'),
  string: pick(
    'CAST(NULL AS STRING)',
    ...quoted(
      '',
      'a',
      'Ab c',
      ' x ',
      'a,b,,c',
      '跑步机',
      'É',
      'é',
      'straße',
      '👍🏽 z',
      '%',
      'a_b',
      '0',
      '-12',
    ),
    ...quoted('1.5', 'true', 'null', 'x\\\\ny', 'tab\\there', '2026-03-29', '{"a":"b","l":[1]}', 'not json'),
  ),
  pattern: pick(...quoted('', '%', 'a%', '%b', '_', '%步%', 'A%', 'a\\\\_b', '_b%')),
  regexp: pick(
    ...quoted('a', '^a', '[a-z]+', '\\\\\\\\d+', '(.)b', 'x*', '步', '(?i)AB', '.', '^$', '\\\\\\\\s'),
  ),
  timestamp: pick(
    'CAST(NULL AS TIMESTAMP)',
    ...quoted(
      ...[
        '1970-01-01 00:00:00',
        '1969-12-31 23:59:59.999999',
        '2024-02-29 12:34:56.789012',
        '2026-12-31 23:30:00',
      ],
      ...['2026-03-29 00:59:59.999', '2026-03-29 01:00:00', '2026-10-25 00:30:00', '2026-10-25 01:30:00'],
      ...['2026-03-08 10:00:00', '2026-11-01 08:30:00'],
    ).map((text) => `TIMESTAMP ${text}`),
  ),
  date: pick(
    'CAST(NULL AS DATE)',
    ...quoted('1970-01-01', '2024-02-29', '2026-12-31', '2025-12-29', '2027-01-01', '2026-03-29').map(
      (text) => `DATE ${text}`,
    ),
  ),
  hugeFloat: pick('1e308', '-1e308', '0.0', '2.0', 'CAST(NULL AS FLOAT64)'),
  lastTimestamp: pick("TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"),
  lastDate: pick("DATE '0001-01-01'", "DATE '9999-12-31'"),
  json: pick(
    'PARSE_JSON(CAST(NULL AS STRING))',
    ...quoted(
      ...[
        'null',
        '{}',
        '[]',
        '12',
        '-0.5',
        'true',
        '"text"',
        '"跑\\\\u00e9"',
        '[{"a":null}]',
        '1e400'.slice(0, 3),
      ],
      '{"a":1,"b":{"c":"x"},"l":[1,null,"y"],"s":"跑","t":true,"n":null,"f":1.5,"big":12345678901234567,"é k":2}',
    ).map((text) => `JSON ${text}`),
  ),
  jsonText: pick(
    'CAST(NULL AS STRING)',
    ...quoted('', 'not json', '{"a":"b","l":[1]}', '{"a":null,"b":{"c":true}}', '"跑"', '[]', '12', '{'),
  ),
  path: pick(...quoted('$', '$.a', '$.b', '$.b.c', '$.l', '$.l[0]', '$.l[1]', '$.l[9]', '$.n', '$.s', '$.f')),
  zone: pick(
    ...quoted(
      'UTC',
      'Europe/Berlin',
      'America/Los_Angeles',
      'Asia/Shanghai',
      'Asia/Kolkata',
      '+05:30',
      '-08:00',
    ),
    ...quoted('Australia/Lord_Howe', 'America/Sao_Paulo'),
  ),
} as const satisfies Record<string, Sql>;

export const parts = {
  /** Of TIMESTAMP_ADD, _SUB and _DIFF. */
  ofTime: pick('MICROSECOND', 'MILLISECOND', 'SECOND', 'MINUTE', 'HOUR', 'DAY'),
  ofDate: pick('DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'),
  truncatesDate: pick('DAY', 'WEEK', 'WEEK(MONDAY)', 'ISOWEEK', 'MONTH', 'QUARTER', 'YEAR', 'ISOYEAR'),
  truncatesTime: pick('SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'WEEK(MONDAY)', 'ISOWEEK', 'MONTH', 'YEAR'),
  extractsDate: pick(
    'YEAR',
    'MONTH',
    'DAY',
    'DAYOFWEEK',
    'DAYOFYEAR',
    'WEEK',
    'ISOWEEK',
    'ISOYEAR',
    'QUARTER',
  ),
  extractsTime: pick('HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND', 'DAY', 'DAYOFWEEK', 'ISOWEEK'),
  timeFormat: pick(
    ...quoted('%F %T', '%Y-%m-%dT%H:%M:%E3S', '%H', '%a %b %e', '%G-W%V', '%j', '%I %p', '%E*S'),
  ),
  dateFormat: pick(...quoted('%F', '%Y%m', '%d/%m/%y', '%A', '%B', '%U', '%G-W%V', '%Q', '%%')),
};
