import { jsonMacros } from './macros-json.ts';

/**
 * DuckDB macros that give GoogleSQL's meaning where no single DuckDB function does.
 * RAISE(message) fails the query in `gs_name` and yields NULL in its twin `gs_safe_name`.
 */
export interface Macro {
  name: string;
  parameters: string;
  body: string;
}

const fraction = (micros: string): string =>
  `CASE WHEN ${micros} = 0 THEN '' WHEN ${micros} % 1000 = 0 THEN printf('.%03d', ${micros} // 1000) ELSE printf('.%06d', ${micros}) END`;

// DuckDB's strftime writes a year without leading zeros; GoogleSQL writes four digits.
const dateText = (value: string): string =>
  `printf('%04d-%02d-%02d', year(${value}), month(${value}), day(${value}))`;
const clockText = (value: string): string =>
  `printf('%02d:%02d:%02d', hour(${value}), minute(${value}), CAST(floor(second(${value})) AS BIGINT)) || (${fraction(`(microsecond(${value}) % 1000000)`)})`;

const datePart = '\\d{4}-\\d{1,2}-\\d{1,2}';
const clockPart = '([01]?\\d|2[0-3]):\\d{1,2}:\\d{1,2}(\\.\\d{0,6})?';
const zonePart = '(\\s*[Zz]|\\s*[+-]\\d{1,2}(:?\\d{2})?|\\s+[A-Za-z][A-Za-z0-9_/+-]*)?';

/** One character of UTF-8 of more than one byte, written as hexadecimal bytes with a blank after each; or any one byte. */
const hexCharacter = [
  '(?:C[2-9A-F]|D.) [89AB]. ',
  'E0 [AB]. [89AB]. ',
  'E[1-9A-CEF] [89AB]. [89AB]. ',
  'ED [89]. [89AB]. ',
  'F0 [9AB]. [89AB]. [89AB]. ',
  'F[1-3] [89AB]. [89AB]. [89AB]. ',
  'F4 8. [89AB]. [89AB]. ',
  '.. ',
].join('|');

const macros: Macro[] = [
  // First what others use: a macro is bound when it is made.
  {
    name: 'string_of_float64',
    parameters: 'x',
    body: `CASE WHEN isnan(x) THEN 'nan' WHEN x = 'Infinity'::DOUBLE THEN 'inf' WHEN x = '-Infinity'::DOUBLE THEN '-inf' WHEN x = 0 THEN '0'
      WHEN CAST(printf('%.15g', x) AS DOUBLE) = x THEN printf('%.15g', x) ELSE printf('%.17g', x) END`,
  },
  {
    name: 'finite',
    parameters: 'x, a',
    body: `CASE WHEN isinf(x) AND NOT isinf(a) THEN RAISE('Floating point overflow') ELSE x END`,
  },
  // Arithmetic.
  {
    name: 'divide',
    parameters: 'a, b',
    body: `CASE WHEN b = 0 THEN RAISE('division by zero: ' || gs_string_of_float64(CAST(a AS DOUBLE)) || ' / ' || gs_string_of_float64(CAST(b AS DOUBLE))) ELSE gs_finite(a / b, a) END`,
  },
  {
    name: 'div',
    parameters: 'a, b',
    body: `CASE WHEN b = 0 THEN RAISE('division by zero: ' || a || ' / ' || b) WHEN b = -1 THEN -a ELSE a // b END`,
  },
  {
    name: 'mod',
    parameters: 'a, b',
    body: `CASE WHEN b = 0 THEN RAISE('division by zero: ' || a || ' / ' || b) WHEN b = -1 THEN 0 ELSE a % b END`,
  },
  {
    name: 'int64_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL
      WHEN regexp_full_match(s, '\\s*[+-]?\\d+\\s*') THEN COALESCE(TRY_CAST(trim(s, e' \\t\\n\\r\\x0b\\x0c') AS BIGINT), RAISE('Bad int64 value: ' || s))
      WHEN regexp_full_match(s, '\\s*[+-]?0[xX][0-9a-fA-F]+\\s*') THEN COALESCE(CASE WHEN contains(s, '-') THEN -1 ELSE 1 END * TRY_CAST(trim(s, e' \\t\\n\\r\\x0b\\x0c+-') AS BIGINT), RAISE('Bad int64 value: ' || s))
      ELSE RAISE('Bad int64 value: ' || s) END`,
  },
  {
    name: 'float64_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL
      WHEN regexp_full_match(s, '(?i)\\s*[+-]?((\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?|inf|infinity|nan)\\s*') THEN COALESCE(TRY_CAST(trim(s, e' \\t\\n\\r\\x0b\\x0c') AS DOUBLE), RAISE('Bad double value: ' || s))
      ELSE RAISE('Bad double value: ' || s) END`,
  },
  {
    name: 'bool_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN lower(s) = 'true' THEN true WHEN lower(s) = 'false' THEN false ELSE RAISE('Bad bool value: ' || s) END`,
  },
  {
    name: 'date_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\\s*${datePart}\\s*') THEN COALESCE(TRY_CAST(regexp_extract(s, '${datePart}') AS DATE), RAISE('Invalid date: ''' || s || '''')) ELSE RAISE('Invalid date: ''' || s || '''') END`,
  },
  {
    name: 'datetime_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\\s*${datePart}([Tt ]\\s*${clockPart})?\\s*') THEN COALESCE(TRY_CAST(upper(trim(s)) AS TIMESTAMP), RAISE('Invalid datetime string "' || s || '"')) ELSE RAISE('Invalid datetime string "' || s || '"') END`,
  },
  {
    name: 'time_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\\s*${clockPart}\\s*') THEN COALESCE(TRY_CAST(trim(s) AS TIME), RAISE('Invalid time string "' || s || '"')) ELSE RAISE('Invalid time string "' || s || '"') END`,
  },
  {
    name: 'timestamp_of_string',
    parameters: 's',
    body: `CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '\\s*${datePart}([Tt ]\\s*${clockPart}${zonePart}|\\s*[+-]\\d{1,2}(:?\\d{2})?|\\s+[A-Za-z][A-Za-z0-9_/+-]*)?\\s*')
      THEN COALESCE(TRY_CAST(regexp_replace(regexp_replace(regexp_replace(regexp_replace(trim(s), '^(${datePart})[tT]', '\\1 '), '^(${datePart})(\\s*[Zz]|\\s*[+-]\\d\\d?(:?\\d\\d)?|\\s+[A-Za-z].*)$', '\\1 00:00:00\\2'), '\\s*([+-])(\\d)(:?\\d\\d)?$', '\\g10\\2\\3'), '\\s*[zZ]$', '+00') AS TIMESTAMPTZ), RAISE('Invalid timestamp: ''' || s || ''''))
      ELSE RAISE('Invalid timestamp: ''' || s || '''') END`.replace('\\g10', '\\10'),
  },
  // Text of values.
  {
    name: 'string_of_numeric',
    parameters: 'x',
    body: `regexp_replace(regexp_replace(CAST(x AS VARCHAR), '0+$', ''), '\\.$', '')`,
  },
  { name: 'string_of_date', parameters: 'd', body: dateText('d') },
  { name: 'string_of_time', parameters: 't', body: clockText('t') },
  { name: 'string_of_datetime', parameters: 'd', body: `${dateText('d')} || ' ' || ${clockText('d')}` },
  {
    name: 'string_of_timestamp',
    parameters: 't',
    body: `gs_string_of_datetime(t AT TIME ZONE 'UTC') || '+00'`,
  },
  // Time zones: of a wall clock that comes twice GoogleSQL takes the first instant, ICU the second.
  {
    name: 'instant_of_wall',
    parameters: 'wall, zone',
    body: `CASE WHEN ((wall AT TIME ZONE zone) - INTERVAL 1 HOUR) AT TIME ZONE zone = wall THEN (wall AT TIME ZONE zone) - INTERVAL 1 HOUR
      WHEN ((wall AT TIME ZONE zone) - INTERVAL 30 MINUTE) AT TIME ZONE zone = wall THEN (wall AT TIME ZONE zone) - INTERVAL 30 MINUTE
      ELSE wall AT TIME ZONE zone END`,
  },
  // Comparison of doubles: NaN is neither equal, less nor greater.
  { name: 'float_equal', parameters: 'a, b', body: `a = b AND NOT isnan(a)` },
  { name: 'float_unequal', parameters: 'a, b', body: `a <> b OR isnan(a)` },
  { name: 'float_less', parameters: 'a, b', body: `a < b AND NOT isnan(b)` },
  { name: 'float_at_most', parameters: 'a, b', body: `a <= b AND NOT isnan(b)` },
  {
    name: 'finite2',
    parameters: 'x, a, b',
    body: `CASE WHEN isinf(x) AND isfinite(a) AND isfinite(b) THEN RAISE('Floating point overflow') ELSE x END`,
  },
  {
    name: 'ieee_divide',
    parameters: 'a, b',
    body: `CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN isnan(a) OR isnan(b) OR (a = 0 AND b = 0) THEN CAST('nan' AS DOUBLE)
      WHEN b = 0 THEN CASE WHEN (a < 0) <> (CAST(b AS VARCHAR) = '-0.0') THEN CAST('-inf' AS DOUBLE) ELSE CAST('inf' AS DOUBLE) END ELSE a / b END`,
  },
  {
    name: 'pow',
    parameters: 'a, b',
    body: `CASE WHEN isfinite(a) AND isfinite(b) AND NOT isfinite(pow(a, b)) THEN RAISE('Floating point error in function: POW') ELSE pow(a, b) END`,
  },
  { name: 'floor_div', parameters: 'a, b', body: `(a - ((a % b) + b) % b) // b` },
  {
    name: 'timestamp',
    parameters: 'us',
    body: `CASE WHEN us < -62135596800000000 OR us > 253402300799999999 THEN RAISE('Timestamp out of range: ' || us) ELSE make_timestamptz(us) END`,
  },
  {
    name: 'date',
    parameters: 'd',
    body: `CASE WHEN d < DATE '0001-01-01' OR d > DATE '9999-12-31' THEN RAISE('Date out of range: ' || d) ELSE d END`,
  },
  // Strings; an offset or a length beyond 32 bits is refused by DuckDB, and beyond any text.
  {
    name: 'substr',
    parameters: 's, p',
    body: `substring(s, CASE WHEN p < -length(s) OR p = 0 THEN 1 WHEN p > 4294967295 THEN 4294967295 ELSE p END)`,
  },
  {
    name: 'substr_of',
    parameters: 's, p, n',
    body: `CASE WHEN s IS NULL OR p IS NULL OR n IS NULL THEN NULL WHEN n < 0 THEN RAISE('Third argument in SUBSTR() cannot be negative') ELSE substring(s, CASE WHEN p < -length(s) OR p = 0 THEN 1 ELSE least(p, 4294967295) END, least(n, 4294967295)) END`,
  },
  {
    name: 'lpad',
    parameters: 's, n, p',
    body: `CASE WHEN s IS NULL OR p IS NULL THEN NULL WHEN n < 0 THEN RAISE('Second argument in LPAD() cannot be negative') WHEN p = '' THEN RAISE('Third argument in LPAD() cannot be empty') ELSE lpad(s, CAST(n AS INTEGER), p) END`,
  },
  {
    name: 'rpad',
    parameters: 's, n, p',
    body: `CASE WHEN s IS NULL OR p IS NULL THEN NULL WHEN n < 0 THEN RAISE('Second argument in RPAD() cannot be negative') WHEN p = '' THEN RAISE('Third argument in RPAD() cannot be empty') ELSE rpad(s, CAST(n AS INTEGER), p) END`,
  },
  {
    name: 'repeat',
    parameters: 's, n',
    body: `CASE WHEN s IS NULL THEN NULL WHEN n < 0 THEN RAISE('Second argument in REPEAT() cannot be negative') ELSE repeat(CAST(s AS VARCHAR), n) END`,
  },
  // DuckDB's reverse keeps graphemes together; GoogleSQL turns code points around.
  {
    name: 'reverse',
    parameters: 's',
    body: `array_to_string(list_transform(range(length(s), 0, -1), lambda gs_i: substring(s, gs_i, 1)), '')`,
  },
  {
    name: 'left',
    parameters: 's, n',
    body: `CASE WHEN s IS NULL THEN NULL WHEN n < 0 THEN RAISE('Second argument in LEFT() cannot be negative') ELSE left(s, n) END`,
  },
  {
    name: 'right',
    parameters: 's, n',
    body: `CASE WHEN s IS NULL THEN NULL WHEN n < 0 THEN RAISE('Second argument in RIGHT() cannot be negative') WHEN n = 0 THEN CASE WHEN s IS NOT NULL THEN '' END ELSE right(s, n) END`,
  },
  {
    name: 'initcap',
    parameters: 's',
    body: `array_to_string(list_transform(regexp_extract_all(s, '[^\\s\\[\\](){}/|<>!?@"^#$&~_,.:;*%+=-]+|[\\s\\[\\](){}/|<>!?@"^#$&~_,.:;*%+=-]+'), lambda gs_w: upper(left(gs_w, 1)) || lower(substring(gs_w, 2))), '')`,
  },
  {
    // Each byte that is part of no character becomes U+FFFD.
    name: 'text_of_bytes',
    parameters: 'b',
    body: `CASE WHEN regexp_full_match(hex(b), '(?:[0-7].)*') THEN decode(b) ELSE decode(unhex(array_to_string(list_transform(regexp_extract_all(regexp_replace(hex(b), '(..)', '\\1 ', 'g'), '${hexCharacter}'),
      lambda gs_c: CASE WHEN length(gs_c) > 3 OR gs_c < '8' THEN replace(gs_c, ' ', '') ELSE 'EFBFBD' END), ''))) END`,
  },
  {
    name: 'from_base64',
    parameters: 's',
    body: `from_base64(rpad(s, CAST((length(s) + 3) // 4 * 4 AS INTEGER), '='))`,
  },
  ...jsonMacros,
  // Arrays.
  {
    name: 'array_slice',
    parameters: 'a, f, t',
    body: `CASE WHEN a IS NULL OR f IS NULL OR t IS NULL THEN NULL ELSE list_slice(a, greatest(CASE WHEN f < 0 THEN f + len(a) ELSE f END, 0) + 1, CASE WHEN t < 0 THEN t + len(a) ELSE t END + 1) END`,
  },
  {
    name: 'generate_array',
    parameters: 'a, b, s',
    body: `CASE WHEN s = 0 THEN RAISE('Sequence step cannot be 0.') ELSE generate_series(a, b, s) END`,
  },
  {
    name: 'array_at',
    parameters: 'a, i',
    body: `CASE WHEN a IS NULL OR i IS NULL THEN NULL WHEN i < 0 OR i >= len(a) THEN RAISE('Array index ' || i || ' is out of bounds') ELSE a[i + 1] END`,
  },
  {
    name: 'array_at_ordinal',
    parameters: 'a, i',
    body: `CASE WHEN a IS NULL OR i IS NULL THEN NULL WHEN i < 1 OR i > len(a) THEN RAISE('Array index ' || i || ' is out of bounds') ELSE a[i] END`,
  },
];

/** DuckDB SQL that defines the macros the translation relies on; to be run once per database, and harmless again. */
export function setUpMacros(): string {
  const definitions = ["SET TimeZone = 'UTC'", 'CREATE OR REPLACE MACRO gs_nothing(message) AS NULL'];
  for (const { name, parameters, body } of macros) {
    const quiet = body
      .replaceAll('RAISE(', 'gs_nothing(')
      .replaceAll(/\bgs_(?!nothing\b|safe_)/g, 'gs_safe_');
    definitions.push(
      `CREATE OR REPLACE MACRO gs_${name}(${parameters}) AS (${body.replaceAll('RAISE(', 'error(')})`,
      `CREATE OR REPLACE MACRO gs_safe_${name}(${parameters}) AS (${quiet})`,
    );
  }
  return `${definitions.join(';\n')};\n`;
}
