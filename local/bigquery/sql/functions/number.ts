import { repeating, type Signature, signature } from './signature.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions */

const float = (name: string, emit = (x: string) => `${name.toLowerCase()}(${x})`): Signature =>
  signature(`${name}(FLOAT64) -> FLOAT64`, emit);

const rounding = (name: string, duckdb: string): Signature[] => [
  signature(`${name}(FLOAT64) -> FLOAT64`, (x) => `${duckdb}(${x})`),
  signature(`${name}(NUMERIC) -> NUMERIC`, (x) => `CAST(${duckdb}(${x}) AS DECIMAL(38,9))`),
];

export const numberSignatures: Signature[] = [
  signature('ABS(INT64) -> INT64', (x) => `abs(${x})`),
  signature('ABS(NUMERIC) -> NUMERIC', (x) => `abs(${x})`),
  float('ABS'),
  signature('SIGN(INT64) -> INT64', (x) => `CAST(sign(${x}) AS BIGINT)`),
  signature(
    'SIGN(FLOAT64) -> FLOAT64',
    repeating((x) => `CASE WHEN isnan(${x}) THEN ${x} ELSE CAST(sign(${x}) AS DOUBLE) END`),
  ),
  signature('IS_NAN(FLOAT64) -> BOOL', (x) => `isnan(${x})`),
  signature('IS_INF(FLOAT64) -> BOOL', (x) => `isinf(${x})`),
  signature(
    'DIV(INT64, INT64) -> INT64',
    repeating((a, b) => `gs_div(${a}, ${b})`),
  ),
  signature(
    'MOD(INT64, INT64) -> INT64',
    repeating((a, b) => `gs_mod(${a}, ${b})`),
  ),
  signature(
    'SAFE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64',
    repeating((a, b) => `gs_safe_divide(${a}, ${b})`),
  ),
  signature(
    'IEEE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64',
    repeating((a, b) => `gs_ieee_divide(${a}, ${b})`),
  ),
  // In 128 bits, which two integers of 64 do not leave: TRY takes nothing that might raise an error of ours.
  signature('SAFE_ADD(INT64, INT64) -> INT64', (a, b) => `TRY_CAST(CAST(${a} AS HUGEINT) + ${b} AS BIGINT)`),
  signature(
    'SAFE_SUBTRACT(INT64, INT64) -> INT64',
    (a, b) => `TRY_CAST(CAST(${a} AS HUGEINT) - ${b} AS BIGINT)`,
  ),
  signature(
    'SAFE_MULTIPLY(INT64, INT64) -> INT64',
    (a, b) => `TRY_CAST(CAST(${a} AS HUGEINT) * ${b} AS BIGINT)`,
  ),
  signature('SAFE_NEGATE(INT64) -> INT64', (a) => `TRY_CAST(-CAST(${a} AS HUGEINT) AS BIGINT)`),
  ...rounding('ROUND', 'round'),
  signature(
    'ROUND(FLOAT64, INT64) -> FLOAT64',
    // With digits before the point DuckDB makes 0 of what is no number.
    repeating(
      (x, digits) =>
        `CASE WHEN isfinite(${x}) OR ${digits} IS NULL THEN round(${x}, CAST(${digits} AS INTEGER)) ELSE ${x} END`,
    ),
  ),
  ...rounding('CEIL', 'ceil'),
  ...rounding('CEILING', 'ceil'),
  ...rounding('FLOOR', 'floor'),
  ...rounding('TRUNC', 'trunc'),
  signature(
    'TRUNC(FLOAT64, INT64) -> FLOAT64',
    repeating((x, digits) => `(trunc(${x} * pow(10, ${digits})) / pow(10, ${digits}))`),
  ),
  signature(
    'POW(FLOAT64, FLOAT64) -> FLOAT64',
    repeating((a, b) => `gs_pow(${a}, ${b})`),
  ),
  signature(
    'POWER(FLOAT64, FLOAT64) -> FLOAT64',
    repeating((a, b) => `gs_pow(${a}, ${b})`),
  ),
  float('SQRT'),
  float('LN'),
  signature('LOG(FLOAT64) -> FLOAT64', (x) => `ln(${x})`),
  signature('LOG(FLOAT64, FLOAT64) -> FLOAT64', (x, base) => `(ln(${x}) / ln(${base}))`),
  float('LOG10'),
  signature(
    'EXP(FLOAT64) -> FLOAT64',
    repeating((x) => `gs_finite(exp(${x}), ${x})`),
  ),
  float('SIN'),
  float('COS'),
  float('TAN'),
  float('ASIN'),
  float('ACOS'),
  float('ATAN'),
  signature('ATAN2(FLOAT64, FLOAT64) -> FLOAT64', (y, x) => `atan2(${y}, ${x})`),
  signature('RAND() -> FLOAT64', () => 'random()'),
  signature('BIT_COUNT(INT64) -> INT64', (x) => `CAST(bit_count(${x}) AS BIGINT)`),
];
