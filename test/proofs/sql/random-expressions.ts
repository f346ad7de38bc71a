import fc from 'fast-check';
import { literals, parts, type Sql } from './random-literals.ts';

type Kinds = Record<'bool' | 'int' | 'float' | 'string' | 'timestamp' | 'date' | 'json', string>;

/**
 * Expressions of each type, as deep as two or three calls, of the functions that our SQL and first queries use. None
 * fails: GoogleSQL leaves it open whether `x AND 1 / 0 = 1` does, and the engines differ.
 */
export const expressions = fc.letrec<Kinds>((tie) => {
  const to = {
    bool: tie('bool'),
    int: tie('int'),
    float: tie('float'),
    string: tie('string'),
    timestamp: tie('timestamp'),
    date: tie('date'),
    json: tie('json'),
  };
  const grow = (leaf: Sql, ...calls: Sql[]): Sql =>
    fc.oneof({ maxDepth: 3, depthSize: 'small', withCrossShrink: true }, leaf, ...calls);
  const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
  const compared = (one: Sql, other = one) => write`(${one} ${comparison} ${other})`;
  const anyValue = fc.oneof(to.bool, to.int, to.float, to.string, to.timestamp, to.date, to.json);
  const choices = (of: Sql): Sql[] => [
    write`IF(${to.bool}, ${of}, ${of})`,
    write`COALESCE(${of}, ${of})`,
    write`CASE WHEN ${to.bool} THEN ${of} WHEN ${to.bool} THEN ${of} END`,
  ];
  const orderedChoices = (of: Sql): Sql[] => [
    ...choices(of),
    write`NULLIF(${of}, ${of})`,
    write`IFNULL(${of}, ${of})`,
    write`GREATEST(${of}, ${of})`,
    write`LEAST(${of}, ${of})`,
    write`CASE ${of} WHEN ${of} THEN ${of} ELSE ${of} END`,
  ];
  return {
    bool: grow(
      literals.bool,
      ...[to.int, to.float, to.string, to.timestamp, to.date, to.bool].map((one) => compared(one)),
      compared(to.int, to.float),
      write`(${to.bool} AND ${to.bool})`,
      write`(${to.bool} OR ${to.bool})`,
      write`(NOT ${to.bool})`,
      write`(${anyValue} IS NULL)`,
      write`(${to.bool} IS NOT TRUE)`,
      write`(${to.int} IS DISTINCT FROM ${to.int})`,
      write`(${to.int} IN (${to.int}, ${to.int}))`,
      write`(${to.string} NOT IN (${to.string}, ${to.string}))`,
      write`(${to.int} BETWEEN ${to.int} AND ${to.int})`,
      write`(${to.timestamp} BETWEEN ${to.timestamp} AND ${to.timestamp})`,
      write`(${to.string} LIKE ${literals.pattern})`,
      write`STARTS_WITH(${to.string}, ${to.string})`,
      write`ENDS_WITH(${to.string}, ${to.string})`,
      write`REGEXP_CONTAINS(${to.string}, ${literals.regexp})`,
      write`SAFE_CAST(${to.string} AS BOOL)`,
      ...choices(to.bool),
    ),
    int: grow(
      literals.int,
      write`(${literals.smallInt} ${fc.constantFrom('+', '-', '*')} ${literals.smallInt})`,
      write`SAFE_${fc.constantFrom('ADD', 'SUBTRACT', 'MULTIPLY')}(${to.int}, ${to.int})`,
      write`SAFE_NEGATE(${to.int})`,
      write`${fc.constantFrom('DIV', 'MOD')}(${to.int}, ${literals.divisor})`,
      write`ABS(${literals.smallInt})`,
      write`SIGN(${to.int})`,
      write`LENGTH(${to.string})`,
      write`BYTE_LENGTH(${to.string})`,
      write`STRPOS(${to.string}, ${to.string})`,
      write`UNIX_${fc.constantFrom('SECONDS', 'MILLIS', 'MICROS')}(${to.timestamp})`,
      write`UNIX_DATE(${to.date})`,
      write`TIMESTAMP_DIFF(${to.timestamp}, ${to.timestamp}, ${parts.ofTime})`,
      write`DATE_DIFF(${to.date}, ${to.date}, ${parts.truncatesDate})`,
      write`EXTRACT(${parts.extractsDate} FROM ${to.date})`,
      write`EXTRACT(${parts.extractsTime} FROM ${to.timestamp} AT TIME ZONE ${literals.zone})`,
      write`SAFE_CAST(${to.string} AS INT64)`,
      write`SAFE_CAST(${to.float} AS INT64)`,
      write`CAST(${to.bool} AS INT64)`,
      write`SAFE_CAST(JSON_VALUE(${to.json}, ${literals.path}) AS INT64)`,
      ...orderedChoices(to.int),
    ),
    float: grow(
      literals.float,
      write`(${to.float} ${fc.constantFrom('+', '-', '*')} ${to.float})`,
      write`(${to.int} / ${literals.divisor})`,
      write`(${to.int} * ${to.float})`,
      write`SAFE_DIVIDE(${to.int}, ${to.int})`,
      write`ROUND(${to.float}, ${literals.smallInt})`,
      write`${fc.constantFrom('ROUND', 'TRUNC', 'FLOOR', 'CEIL', 'ABS')}(${to.float})`,
      write`SAFE_CAST(${to.string} AS FLOAT64)`,
      write`CAST(${to.int} AS FLOAT64)`,
      ...choices(to.float),
    ),
    string: grow(
      literals.string,
      write`(${to.string} || ${to.string})`,
      write`CONCAT(${to.string}, ${to.string}, ${to.string})`,
      write`SUBSTR(${to.string}, ${literals.smallInt}, ${literals.count})`,
      write`SUBSTR(${to.string}, ${to.int})`,
      write`${fc.constantFrom('UPPER', 'LOWER', 'TRIM', 'LTRIM', 'RTRIM', 'REVERSE')}(${to.string})`,
      write`TRIM(${to.string}, ${to.string})`,
      write`REPLACE(${to.string}, ${to.string}, ${to.string})`,
      write`${fc.constantFrom('LPAD', 'RPAD')}(${to.string}, ${literals.count}, ${fc.constantFrom("'-'", "'步x'")})`,
      write`${fc.constantFrom('LEFT', 'RIGHT', 'REPEAT')}(${to.string}, ${literals.count})`,
      write`SPLIT(${to.string}, ',')[SAFE_OFFSET(${literals.smallInt})]`,
      write`REGEXP_EXTRACT(${to.string}, ${literals.regexp})`,
      write`REGEXP_REPLACE(${to.string}, ${literals.regexp}, '-')`,
      write`CAST(${fc.oneof(to.bool, to.int, to.float, to.timestamp, to.date)} AS STRING)`,
      write`SAFE_CONVERT_BYTES_TO_STRING(CAST(${to.string} AS BYTES))`,
      write`FORMAT_TIMESTAMP(${parts.timeFormat}, ${to.timestamp}, ${literals.zone})`,
      write`FORMAT_DATE(${parts.dateFormat}, ${to.date})`,
      write`JSON_VALUE(${fc.oneof(to.json, literals.jsonText)}, ${literals.path})`,
      write`JSON_QUERY(${literals.jsonText}, ${literals.path})`,
      write`TO_JSON_STRING(${anyValue})`,
      write`TO_JSON_STRING(STRUCT(${anyValue} AS a, [${to.int}] AS l))`,
      ...orderedChoices(to.string),
    ),
    timestamp: grow(
      literals.timestamp,
      write`TIMESTAMP_${fc.constantFrom('ADD', 'SUB')}(${to.timestamp}, INTERVAL ${literals.smallInt} ${parts.ofTime})`,
      write`TIMESTAMP_TRUNC(${to.timestamp}, ${parts.truncatesTime}, ${literals.zone})`,
      write`TIMESTAMP_${fc.constantFrom('SECONDS', 'MILLIS', 'MICROS')}(${literals.smallInt})`,
      write`TIMESTAMP(${to.date}, ${literals.zone})`,
      write`TIMESTAMP(DATETIME(${to.timestamp}, ${literals.zone}), ${literals.zone})`,
      write`SAFE_CAST(${to.string} AS TIMESTAMP)`,
      ...orderedChoices(to.timestamp),
    ),
    date: grow(
      literals.date,
      write`DATE(${to.timestamp}, ${literals.zone})`,
      write`DATE_${fc.constantFrom('ADD', 'SUB')}(${to.date}, INTERVAL ${literals.smallInt} ${parts.ofDate})`,
      write`DATE_TRUNC(${to.date}, ${parts.truncatesDate})`,
      write`LAST_DAY(${to.date}, ${fc.constantFrom('MONTH', 'WEEK', 'QUARTER', 'YEAR')})`,
      write`SAFE_CAST(${to.string} AS DATE)`,
      write`DATE_FROM_UNIX_DATE(${literals.smallInt})`,
      ...orderedChoices(to.date),
    ),
    json: grow(
      literals.json,
      write`JSON_QUERY(${to.json}, ${literals.path})`,
      write`TO_JSON(${anyValue})`,
      write`PARSE_JSON(TO_JSON_STRING(${anyValue}))`,
      ...choices(to.json),
    ),
  };
});

/** Calls that fail with some of their arguments; those are literals, so that nothing else decides. */
export const failing: Sql = fc.oneof(
  write`${literals.int} ${fc.constantFrom('+', '-', '*')} ${literals.int}`,
  write`${fc.constantFrom('-', 'ABS', 'SAFE_NEGATE')}(${literals.int})`,
  write`${fc.constantFrom('DIV', 'MOD')}(${literals.int}, ${literals.smallInt})`,
  write`${literals.int} / ${literals.smallInt}`,
  write`${literals.hugeFloat} ${fc.constantFrom('+', '-', '*', '/')} ${literals.hugeFloat}`,
  write`CAST(${fc.oneof(literals.string, literals.float)} AS INT64)`,
  write`CAST(${literals.string} AS ${fc.constantFrom('FLOAT64', 'BOOL', 'DATE', 'TIMESTAMP')})`,
  write`SUBSTR(${literals.string}, ${literals.int}, ${literals.smallInt})`,
  write`${fc.constantFrom('LEFT', 'RIGHT', 'REPEAT')}(${literals.string}, ${literals.smallInt})`,
  write`${fc.constantFrom('LPAD', 'RPAD')}(${literals.string}, ${literals.smallInt}, ${literals.string})`,
  write`SPLIT(${literals.string}, ',')[OFFSET(${literals.smallInt})]`,
  write`PARSE_JSON(${literals.string})`,
  write`TIMESTAMP_${fc.constantFrom('SECONDS', 'MILLIS', 'MICROS')}(${literals.int})`,
  write`TIMESTAMP_${fc.constantFrom('ADD', 'SUB')}(${literals.lastTimestamp}, INTERVAL ${literals.smallInt} ${parts.ofTime})`,
  write`DATE_${fc.constantFrom('ADD', 'SUB')}(${literals.lastDate}, INTERVAL ${literals.smallInt} ${parts.ofDate})`,
);

/** Text with an expression in each gap; each shrinks by itself. */
export function write(texts: TemplateStringsArray, ...gaps: Sql[]): Sql {
  return fc.tuple(...gaps).map((values) => texts.map((text, index) => text + (values[index] ?? '')).join(''));
}
