import type { Macro } from './macros.ts';

/** What the JSON functions rely on: GoogleSQL's scalars, and its strict and lax conversions, which DuckDB has not. */
export const jsonMacros: Macro[] = [
  {
    name: 'json_value',
    parameters: 'j',
    body: `CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(j, '$') END`,
  },
  {
    name: 'json_query_text',
    parameters: 'j',
    body: `CASE WHEN json_type(j) = 'NULL' THEN NULL ELSE CAST(j AS VARCHAR) END`,
  },
  {
    name: 'json_value_array',
    parameters: 'j',
    body: `CASE WHEN json_type(j) = 'ARRAY' AND len(list_filter(json_extract(j, '$[*]'), lambda gs_e: json_type(gs_e) IN ('OBJECT', 'ARRAY'))) = 0
      THEN list_transform(json_extract(j, '$[*]'), lambda gs_e: CASE WHEN json_type(gs_e) = 'NULL' THEN NULL ELSE json_extract_string(gs_e, '$') END) END`,
  },
  {
    name: 'json_query_array',
    parameters: 'j',
    body: `CASE WHEN json_type(j) = 'ARRAY' THEN json_extract(j, '$[*]') END`,
  },
  {
    name: 'parse_json',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN json_valid(s) THEN json(s) ELSE RAISE('Invalid input to PARSE_JSON: syntax error while parsing value') END`,
  },
  {
    // A name that is no constant may hold anything: only a JSON pointer takes them all, and it would index an array too.
    name: 'json_member',
    parameters: 'j, k',
    body: `CASE WHEN json_type(j) = 'OBJECT' THEN json_extract(j, '/' || replace(replace(k, '~', '~0'), '/', '~1')) END`,
  },
  {
    name: 'json_type',
    parameters: 'j',
    body: `CASE json_type(j) WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN NULL THEN NULL ELSE CASE WHEN j IS NOT NULL THEN 'number' END END`,
  },
  {
    name: 'json_string',
    parameters: 'j',
    body: `CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'VARCHAR' THEN json_extract_string(j, '$') ELSE RAISE('The provided JSON input is not a string') END`,
  },
  {
    name: 'json_bool',
    parameters: 'j',
    body: `CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'BOOLEAN' THEN json_extract_string(j, '$') = 'true' ELSE RAISE('The provided JSON input is not a boolean') END`,
  },
  {
    name: 'json_int64',
    parameters: 'j',
    body: `CASE WHEN j IS NULL THEN NULL
      WHEN json_type(j) IN ('BIGINT', 'UBIGINT') THEN COALESCE(TRY_CAST(json_extract_string(j, '$') AS BIGINT), RAISE('The provided JSON number: ' || json_extract_string(j, '$') || ' cannot be converted to an int64 without loss of precision'))
      WHEN json_type(j) = 'DOUBLE' AND CAST(json_extract_string(j, '$') AS DOUBLE) = floor(CAST(json_extract_string(j, '$') AS DOUBLE)) AND abs(CAST(json_extract_string(j, '$') AS DOUBLE)) < 9223372036854775807 THEN CAST(CAST(json_extract_string(j, '$') AS DOUBLE) AS BIGINT)
      WHEN json_type(j) = 'DOUBLE' THEN RAISE('The provided JSON number: ' || json_extract_string(j, '$') || ' cannot be converted to an int64 without loss of precision')
      ELSE RAISE('The provided JSON input is not an integer') END`,
  },
  {
    name: 'json_float64',
    parameters: 'j',
    body: `CASE WHEN j IS NULL THEN NULL WHEN json_type(j) IN ('BIGINT', 'UBIGINT', 'DOUBLE') THEN CAST(json_extract_string(j, '$') AS DOUBLE)
      WHEN json_type(j) = 'VARCHAR' AND json_extract_string(j, '$') IN ('NaN', 'Infinity', '-Infinity') THEN CAST(json_extract_string(j, '$') AS DOUBLE)
      ELSE RAISE('The provided JSON input is not a number') END`,
  },
  {
    name: 'lax_bool',
    parameters: 'j',
    body: `CASE json_type(j) WHEN 'BOOLEAN' THEN json_extract_string(j, '$') = 'true'
      WHEN 'VARCHAR' THEN CASE lower(json_extract_string(j, '$')) WHEN 'true' THEN true WHEN 'false' THEN false END
      WHEN 'BIGINT' THEN json_extract_string(j, '$') <> '0' WHEN 'UBIGINT' THEN json_extract_string(j, '$') <> '0' WHEN 'DOUBLE' THEN CAST(json_extract_string(j, '$') AS DOUBLE) <> 0 END`,
  },
  {
    name: 'lax_int64',
    parameters: 'j',
    body: `CASE json_type(j) WHEN 'BOOLEAN' THEN CASE WHEN json_extract_string(j, '$') = 'true' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END
      WHEN 'BIGINT' THEN TRY_CAST(json_extract_string(j, '$') AS BIGINT) WHEN 'UBIGINT' THEN TRY_CAST(json_extract_string(j, '$') AS BIGINT)
      WHEN 'DOUBLE' THEN TRY_CAST(round(CAST(json_extract_string(j, '$') AS DOUBLE)) AS BIGINT)
      WHEN 'VARCHAR' THEN COALESCE(gs_safe_int64_of_string(json_extract_string(j, '$')), TRY_CAST(round(gs_safe_float64_of_string(json_extract_string(j, '$'))) AS BIGINT)) END`,
  },
  {
    name: 'lax_float64',
    parameters: 'j',
    body: `CASE json_type(j) WHEN 'BIGINT' THEN CAST(json_extract_string(j, '$') AS DOUBLE) WHEN 'UBIGINT' THEN CAST(json_extract_string(j, '$') AS DOUBLE)
      WHEN 'DOUBLE' THEN CAST(json_extract_string(j, '$') AS DOUBLE) WHEN 'VARCHAR' THEN gs_safe_float64_of_string(json_extract_string(j, '$')) END`,
  },
  {
    name: 'lax_string',
    parameters: 'j',
    body: `CASE WHEN json_type(j) IN ('VARCHAR', 'BOOLEAN', 'BIGINT', 'UBIGINT') THEN json_extract_string(j, '$') WHEN json_type(j) = 'DOUBLE' THEN gs_string_of_float64(CAST(json_extract_string(j, '$') AS DOUBLE)) END`,
  },
  { name: 'json_of_string', parameters: 's', body: `CAST(to_json(s) AS VARCHAR)` },
  {
    name: 'json_of_float64',
    parameters: 'x',
    body: `CASE WHEN isnan(x) THEN '"NaN"' WHEN isinf(x) THEN CASE WHEN x > 0 THEN '"Infinity"' ELSE '"-Infinity"' END ELSE gs_string_of_float64(x) END`,
  },
  {
    name: 'json_number_of_float64',
    parameters: 'x',
    body: `gs_json_of_float64(x) || CASE WHEN regexp_full_match(gs_json_of_float64(x), '-?[0-9]+') THEN '.0' ELSE '' END`,
  },
  {
    // What FLOAT64 would change, it takes: integers beyond 64 bits, and fractions of more digits than it holds.
    name: 'parse_json_round',
    parameters: 's',
    body: `CASE WHEN s = '-0' THEN json('0') WHEN regexp_full_match(s, '-?(0|[1-9][0-9]*)(\\.[0-9]+)?') AND TRY_CAST(s AS BIGINT)::VARCHAR IS DISTINCT FROM s AND TRY_CAST(s AS UBIGINT)::VARCHAR IS DISTINCT FROM s
      THEN json(gs_json_number_of_float64(CAST(s AS DOUBLE))) ELSE gs_parse_json(s) END`,
  },
  {
    // Sorted by name, as JSON values are kept; of equal names the first stays.
    name: 'json_object_of',
    parameters: 'k, v',
    body: `CASE WHEN k IS NULL THEN RAISE('Invalid input to JSON_OBJECT: The keys array cannot be NULL')
      WHEN v IS NULL THEN RAISE('Invalid input to JSON_OBJECT: The values array cannot be NULL')
      WHEN len(k) <> len(v) THEN RAISE('Invalid input to JSON_OBJECT: The number of keys and values must match')
      WHEN len(list_filter(k, lambda gs_e: gs_e IS NULL)) > 0 THEN RAISE('Invalid input to JSON_OBJECT: A key cannot be NULL')
      ELSE CAST('{' || array_to_string(list_transform(list_filter(list_sort(list_zip(k, range(len(k)), v)), lambda gs_e: list_position(k, gs_e[1]) = gs_e[2] + 1), lambda gs_e: gs_json_of_string(gs_e[1]) || ':' || gs_e[3]), ',') || '}' AS JSON) END`,
  },
];
