import { repeating, type Signature, signature } from './signature.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions */
export const arraySignatures: Signature[] = [
  signature('ARRAY_LENGTH(ARRAY<T>) -> INT64', (array) => `CAST(len(${array}) AS BIGINT)`),
  signature(
    'ARRAY_TO_STRING(ARRAY<STRING>, STRING) -> STRING',
    repeating(
      (array, separator) =>
        `CASE WHEN ${array} IS NOT NULL AND ${separator} IS NOT NULL THEN COALESCE(array_to_string(${array}, ${separator}), '') END`,
    ),
  ),
  signature(
    'ARRAY_TO_STRING(ARRAY<STRING>, STRING, STRING) -> STRING',
    repeating(
      (array, separator, missing) =>
        `array_to_string(list_transform(${array}, lambda gs_e: COALESCE(gs_e, ${missing})), ${separator})`,
    ),
  ),
  signature(
    'ARRAY_CONCAT(ARRAY<T>...) -> ARRAY<T>',
    repeating(
      (...arrays) =>
        `CASE WHEN ${arrays.map((array) => `${array} IS NULL`).join(' OR ')} THEN NULL ELSE ${arrays.reduce((left, right) => `list_concat(${left}, ${right})`)} END`,
    ),
  ),
  signature('ARRAY_REVERSE(ARRAY<T>) -> ARRAY<T>', (array) => `list_reverse(${array})`),
  signature(
    'ARRAY_FIRST(ARRAY<T>) -> T',
    repeating((array) => `gs_array_at(${array}, 0)`),
  ),
  signature(
    'ARRAY_LAST(ARRAY<T>) -> T',
    repeating((array) => `gs_array_at(${array}, len(${array}) - 1)`),
  ),
  signature(
    'ARRAY_SLICE(ARRAY<T>, INT64, INT64) -> ARRAY<T>',
    repeating((array, from, to) => `gs_array_slice(${array}, ${from}, ${to})`),
  ),
  signature('ARRAY_INCLUDES(ARRAY<T>, T) -> BOOL', (array, value) => `list_contains(${array}, ${value})`),
  signature('GENERATE_ARRAY(INT64, INT64) -> ARRAY<INT64>', (from, to) => `generate_series(${from}, ${to})`),
  signature(
    'GENERATE_ARRAY(INT64, INT64, INT64) -> ARRAY<INT64>',
    repeating((from, to, step) => `gs_generate_array(${from}, ${to}, ${step})`),
  ),
];
