/**
 * Which values the cases of `local/bigquery/sql/cases.ts` must hold for each function and clause: the edges at which
 * DuckDB and GoogleSQL differ. A function or clause that shipped SQL uses and that stands in no row has no cases.
 */

/** How a case is known to hold such a value, by its text. */
export const valueKinds = {
  null: /(?<!IS |NOT )\bNULL\b/i,
  /** An empty text, array or document, or no rows at all. */
  empty: /''|\[\]|\{\}|\bWHERE FALSE\b|\bLIMIT 0\b/,
  negative: /(?:[(,[]|\b(?:SELECT|INTERVAL|THEN|OR|AND|ARRAY<INT64>|[<>=]))\s*-\s*[\d.]/,
  unicode: /[^\p{ASCII}]|\\u|\\U/u,
  /** The ends of a type's range, infinities, and leap days. */
  boundary:
    /9999-12-31|0001-01-01|-02-29|9223372036854775\d{3}|e-?30[78]|'-?inf'|23:59:59\.999999|2147483648|'nan'|253402300799/i,
  /** A named zone around one of its changes of clock. */
  transition:
    /(?:America|Europe|Australia)\/\w+.*-(?:03-0[789]|03-29|10-25|11-0[123])|-(?:03-0[789]|03-29|10-25|11-0[123]).*(?:America|Europe|Australia)\/\w+/,
} as const;

export type ValueKind = keyof typeof valueKinds;

interface Requirement {
  readonly names: string;
  readonly values: readonly ValueKind[];
}

/** By blanks, the functions that must hold the same kinds of values. */
export const functionRequirements: readonly Requirement[] = [
  {
    names:
      'CONCAT LENGTH CHAR_LENGTH BYTE_LENGTH LOWER UPPER TRIM LTRIM RTRIM STRPOS INSTR REPLACE SPLIT STARTS_WITH ENDS_WITH ' +
      'REVERSE INITCAP ASCII UNICODE TRANSLATE TO_BASE64 SHA256 SHA1 MD5 REGEXP_CONTAINS REGEXP_EXTRACT ' +
      'REGEXP_EXTRACT_ALL REGEXP_REPLACE STRING_AGG ARRAY_TO_STRING',
    values: ['null', 'empty', 'unicode'],
  },
  {
    names: 'SUBSTR LEFT RIGHT LPAD RPAD REPEAT',
    values: ['null', 'empty', 'unicode', 'negative'],
  },
  { names: 'TO_HEX FROM_HEX FROM_BASE64 SAFE_CONVERT_BYTES_TO_STRING', values: ['null', 'empty'] },
  { names: 'CHR', values: ['null', 'unicode', 'negative'] },
  {
    names:
      'ABS SIGN DIV MOD SAFE_DIVIDE IEEE_DIVIDE SAFE_ADD SAFE_SUBTRACT SAFE_MULTIPLY SAFE_NEGATE ROUND CEIL FLOOR TRUNC ' +
      'POW SQRT LN LOG LOG10 EXP BIT_COUNT GREATEST LEAST',
    values: ['null', 'negative', 'boundary'],
  },
  { names: 'IS_NAN IS_INF', values: ['null', 'boundary'] },
  { names: 'SIN COS TAN ASIN ACOS ATAN ATAN2', values: ['null', 'negative'] },
  {
    names:
      'TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS UNIX_MICROS UNIX_MILLIS UNIX_SECONDS UNIX_DATE ' +
      'DATE_FROM_UNIX_DATE LAST_DAY DATE_DIFF TIMESTAMP_DIFF DATETIME_DIFF DATE_TRUNC DATETIME_TRUNC FORMAT_DATE ' +
      'PARSE_DATE FORMAT_DATETIME PARSE_DATETIME STRING',
    values: ['null', 'boundary'],
  },
  {
    names: 'DATE_ADD DATE_SUB TIMESTAMP_ADD TIMESTAMP_SUB DATETIME_ADD DATETIME_SUB',
    values: ['null', 'boundary', 'negative'],
  },
  {
    names: 'TIMESTAMP DATE DATETIME EXTRACT TIMESTAMP_TRUNC FORMAT_TIMESTAMP PARSE_TIMESTAMP',
    values: ['null', 'boundary', 'transition'],
  },
  { names: 'GENERATE_ARRAY GENERATE_DATE_ARRAY GENERATE_TIMESTAMP_ARRAY', values: ['null', 'negative'] },
  { names: 'CURRENT_TIMESTAMP CURRENT_DATE CURRENT_DATETIME', values: [] },
  {
    names: 'ARRAY_LENGTH ARRAY_CONCAT ARRAY_REVERSE ARRAY_FIRST ARRAY_LAST ARRAY ARRAY_AGG ARRAY_CONCAT_AGG',
    values: ['null', 'empty'],
  },
  { names: 'ARRAY_SLICE OFFSET SAFE_OFFSET ORDINAL SAFE_ORDINAL', values: ['null', 'empty', 'negative'] },
  {
    names:
      'JSON_VALUE JSON_QUERY JSON_VALUE_ARRAY JSON_QUERY_ARRAY JSON_EXTRACT JSON_EXTRACT_SCALAR PARSE_JSON TO_JSON_STRING',
    values: ['null', 'empty', 'unicode', 'boundary'],
  },
  {
    names: 'TO_JSON JSON_OBJECT JSON_ARRAY JSON_TYPE',
    values: ['null', 'empty'],
  },
  {
    names: 'BOOL INT64 FLOAT64 LAX_BOOL LAX_INT64 LAX_FLOAT64 LAX_STRING',
    values: ['null'],
  },
  {
    names: 'COUNT COUNTIF SUM AVG MIN MAX ANY_VALUE LOGICAL_AND LOGICAL_OR',
    values: ['null', 'empty'],
  },
  { names: 'STDDEV STDDEV_POP VARIANCE VAR_POP CORR', values: ['null', 'empty'] },
  { names: 'ROW_NUMBER RANK DENSE_RANK NTILE LAG LEAD FIRST_VALUE LAST_VALUE', values: ['null'] },
  { names: 'CAST SAFE_CAST', values: ['null', 'empty', 'negative', 'unicode', 'boundary'] },
  { names: 'IF COALESCE IFNULL NULLIF STRUCT', values: ['null'] },
];

/** The evaluator does not know these, so that no case can be compared. */
export const notEvaluated: ReadonlySet<string> = new Set(['APPROX_COUNT_DISTINCT()', 'JSON_KEYS()']);

/** By clause, as `sql-features.ts` names it. */
export const clauseRequirements: Readonly<Record<string, readonly ValueKind[]>> = {
  'SELECT DISTINCT': ['null', 'empty'],
  'SELECT *': ['null'],
  'SELECT * EXCEPT': [],
  'SELECT * REPLACE': [],
  'SELECT AS STRUCT': ['null'],
  'SELECT name.*': ['null'],
  FROM: ['null', 'empty'],
  'comma join': ['empty'],
  JOIN: ['null', 'empty'],
  'LEFT JOIN': ['null', 'empty'],
  'RIGHT JOIN': ['null', 'empty'],
  'FULL JOIN': ['null', 'empty'],
  'CROSS JOIN': ['empty'],
  ON: ['null'],
  USING: ['null'],
  UNNEST: ['null', 'empty'],
  'WITH OFFSET': ['null', 'empty'],
  WHERE: ['null', 'empty'],
  'GROUP BY': ['null', 'empty', 'unicode'],
  HAVING: ['null', 'empty'],
  QUALIFY: ['null', 'empty'],
  WINDOW: ['null'],
  OVER: ['null'],
  'PARTITION BY': ['null'],
  'ROWS frame': ['null'],
  'RANGE frame': ['null'],
  'ORDER BY': ['null', 'empty', 'unicode', 'negative'],
  DESC: ['null'],
  'NULLS FIRST': ['null'],
  'IGNORE NULLS': ['null'],
  LIMIT: ['empty'],
  WITH: ['null', 'empty'],
  'UNION ALL': ['null', 'empty'],
  'UNION DISTINCT': ['null', 'empty'],
  'EXCEPT DISTINCT': ['null', 'empty'],
  'INTERSECT DISTINCT': ['null', 'empty'],
  CASE: ['null', 'empty'],
  'aggregate of DISTINCT': ['null', 'empty', 'unicode'],
  AND: ['null'],
  OR: ['null'],
  NOT: ['null'],
  'IS NULL': ['null', 'empty'],
  'IS TRUE': ['null'],
  'IS DISTINCT FROM': ['null'],
  IN: ['null', 'empty'],
  'IN UNNEST': ['null', 'empty'],
  EXISTS: ['null', 'empty'],
  BETWEEN: ['null', 'negative'],
  LIKE: ['null', 'empty', 'unicode'],
  INTERVAL: ['null', 'negative', 'boundary'],
  'AT TIME ZONE': ['null', 'transition'],
  'typed literal': ['boundary', 'transition'],
  subscript: ['null', 'empty', 'negative'],
  comparison: ['null', 'empty', 'unicode', 'negative', 'boundary'],
  arithmetic: ['null', 'negative', 'boundary'],
  '||': ['null', 'empty', 'unicode'],
};
