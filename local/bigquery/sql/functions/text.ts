import type { Call, Expression } from '../ast.ts';
import { coerce } from '../convert.ts';
import { invalid, unsupported } from '../errors.ts';
import { bindOnce, type Fragment, quoteString } from '../fragment.ts';
import { expectArguments } from '../resolve-call.ts';
import { resolveExpression } from '../resolve-expression.ts';
import type { Scope } from '../scope.ts';
import { typeName } from '../types.ts';
import { repeating, type Signature, signature } from './signature.ts';

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions */

// What Unicode calls White_Space, which TRIM without a second argument takes off.
const blanks = quoteString(
  '\t\n\x0b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

const trim = (name: string): Signature[] => [
  signature(`${name.toUpperCase()}(STRING) -> STRING`, (text) => `${name}(${text}, ${blanks})`),
  signature(
    `${name.toUpperCase()}(STRING, STRING) -> STRING`,
    (text, characters) => `${name}(${text}, ${characters})`,
  ),
];

export const textSignatures: Signature[] = [
  signature('CONCAT(STRING...) -> STRING', (...texts) => `(${texts.join(' || ')})`),
  signature('CONCAT(BYTES...) -> BYTES', (...texts) => `(${texts.join(' || ')})`),
  signature('LENGTH(STRING) -> INT64', (text) => `length(${text})`),
  signature('LENGTH(BYTES) -> INT64', (bytes) => `octet_length(${bytes})`),
  signature('CHAR_LENGTH(STRING) -> INT64', (text) => `length(${text})`),
  signature('CHARACTER_LENGTH(STRING) -> INT64', (text) => `length(${text})`),
  signature('BYTE_LENGTH(STRING) -> INT64', (text) => `strlen(${text})`),
  signature('BYTE_LENGTH(BYTES) -> INT64', (bytes) => `octet_length(${bytes})`),
  signature('OCTET_LENGTH(STRING) -> INT64', (text) => `strlen(${text})`),
  signature('LOWER(STRING) -> STRING', (text) => `lower(${text})`),
  signature('UPPER(STRING) -> STRING', (text) => `upper(replace(${text}, 'ß', 'SS'))`),
  ...trim('trim'),
  ...trim('ltrim'),
  ...trim('rtrim'),
  signature(
    'SUBSTR(STRING, INT64) -> STRING',
    repeating((text, from) => `gs_substr(${text}, ${from})`),
  ),
  signature(
    'SUBSTR(STRING, INT64, INT64) -> STRING',
    repeating((text, from, length) => `gs_substr_of(${text}, ${from}, ${length})`),
  ),
  signature(
    'SUBSTRING(STRING, INT64) -> STRING',
    repeating((text, from) => `gs_substr(${text}, ${from})`),
  ),
  signature(
    'SUBSTRING(STRING, INT64, INT64) -> STRING',
    repeating((text, from, length) => `gs_substr_of(${text}, ${from}, ${length})`),
  ),
  signature('STRPOS(STRING, STRING) -> INT64', (text, part) => `instr(${text}, ${part})`),
  signature('INSTR(STRING, STRING) -> INT64', (text, part) => `instr(${text}, ${part})`),
  signature(
    'REPLACE(STRING, STRING, STRING) -> STRING',
    repeating(
      (text, from, to) =>
        `CASE WHEN ${from} = '' AND ${to} IS NOT NULL THEN ${text} ELSE replace(${text}, ${from}, ${to}) END`,
    ),
  ),
  signature('SPLIT(STRING) -> ARRAY<STRING>', (text) => `string_split(${text}, ',')`),
  signature(
    'SPLIT(STRING, STRING) -> ARRAY<STRING>',
    repeating(
      (text, separator) =>
        `CASE WHEN ${text} IS NULL OR ${separator} IS NULL THEN NULL WHEN ${text} = '' THEN [''] ELSE string_split(${text}, ${separator}) END`,
    ),
  ),
  signature('STARTS_WITH(STRING, STRING) -> BOOL', (text, part) => `starts_with(${text}, ${part})`),
  signature('ENDS_WITH(STRING, STRING) -> BOOL', (text, part) => `ends_with(${text}, ${part})`),
  signature(
    'CONTAINS_SUBSTR(STRING, STRING) -> BOOL',
    (text, part) => `contains(lower(nfc_normalize(${text})), lower(nfc_normalize(${part})))`,
  ),
  signature(
    'LPAD(STRING, INT64) -> STRING',
    repeating((text, length) => `gs_lpad(${text}, ${length}, ' ')`),
  ),
  signature(
    'LPAD(STRING, INT64, STRING) -> STRING',
    repeating((text, length, pad) => `gs_lpad(${text}, ${length}, ${pad})`),
  ),
  signature(
    'RPAD(STRING, INT64) -> STRING',
    repeating((text, length) => `gs_rpad(${text}, ${length}, ' ')`),
  ),
  signature(
    'RPAD(STRING, INT64, STRING) -> STRING',
    repeating((text, length, pad) => `gs_rpad(${text}, ${length}, ${pad})`),
  ),
  signature(
    'REPEAT(STRING, INT64) -> STRING',
    repeating((text, times) => `gs_repeat(${text}, ${times})`),
  ),
  signature(
    'REVERSE(STRING) -> STRING',
    repeating((text) => `gs_reverse(${text})`),
  ),
  signature(
    'LEFT(STRING, INT64) -> STRING',
    repeating((text, length) => `gs_left(${text}, ${length})`),
  ),
  signature(
    'RIGHT(STRING, INT64) -> STRING',
    repeating((text, length) => `gs_right(${text}, ${length})`),
  ),
  signature(
    'INITCAP(STRING) -> STRING',
    repeating((text) => `gs_initcap(${text})`),
  ),
  signature('ASCII(STRING) -> INT64', (text) => `CAST(ascii(${text}) AS BIGINT)`),
  signature(
    'UNICODE(STRING) -> INT64',
    repeating(
      (text) => `CASE WHEN ${text} = '' THEN CAST(0 AS BIGINT) ELSE CAST(unicode(${text}) AS BIGINT) END`,
    ),
  ),
  signature('CHR(INT64) -> STRING', (code) => `chr(CAST(${code} AS INTEGER))`),
  signature(
    'TRANSLATE(STRING, STRING, STRING) -> STRING',
    (text, from, to) => `translate(${text}, ${from}, ${to})`,
  ),
  signature('TO_HEX(BYTES) -> STRING', (bytes) => `lower(hex(${bytes}))`),
  signature(
    'FROM_HEX(STRING) -> BYTES',
    repeating((text) => `from_hex(CASE WHEN length(${text}) % 2 = 1 THEN '0' || ${text} ELSE ${text} END)`),
  ),
  signature('TO_BASE64(BYTES) -> STRING', (bytes) => `to_base64(${bytes})`),
  signature(
    'FROM_BASE64(STRING) -> BYTES',
    repeating((text) => `gs_from_base64(${text})`),
  ),
  signature('SHA256(STRING) -> BYTES', (text) => `from_hex(sha256(${text}))`),
  signature('SHA256(BYTES) -> BYTES', (bytes) => `from_hex(sha256(${bytes}))`),
  signature('SHA1(STRING) -> BYTES', (text) => `from_hex(sha1(${text}))`),
  signature('SHA1(BYTES) -> BYTES', (bytes) => `from_hex(sha1(${bytes}))`),
  signature('MD5(STRING) -> BYTES', (text) => `from_hex(md5(${text}))`),
  signature('MD5(BYTES) -> BYTES', (bytes) => `from_hex(md5(${bytes}))`),
  signature('GENERATE_UUID() -> STRING', () => 'CAST(uuid() AS VARCHAR)'),
  signature(
    'SAFE_CONVERT_BYTES_TO_STRING(BYTES) -> STRING',
    repeating((bytes) => `gs_text_of_bytes(${bytes})`),
  ),
  signature('SESSION_USER() -> STRING', () => "'local@localhost'"),
];

/** RE2 in both engines; what differs is what no match gives and which group is meant. */
export const textSpecials: [string, (call: Call, scope: Scope) => Fragment][] = [
  [
    'REGEXP_CONTAINS',
    (call, scope) => {
      const { text, pattern } = patternCall(call, scope, 2);
      return { sql: `regexp_matches(${text}, ${pattern.sql})`, type: { kind: 'BOOL' } };
    },
  ],
  [
    'REGEXP_EXTRACT',
    (call, scope) => {
      const { text, pattern } = patternCall(call, scope, 2);
      const group = groupOf(pattern, call);
      const sql = bindOnce(
        [text],
        ([bound]) =>
          `CASE WHEN regexp_matches(${bound}, ${pattern.sql}) THEN ${extracted(bound!, pattern, group)} END`,
      );
      return { sql: `(${sql})`, type: { kind: 'STRING' } };
    },
  ],
  ['REGEXP_SUBSTR', (call, scope) => textSpecial('REGEXP_EXTRACT')(call, scope)],
  [
    'REGEXP_EXTRACT_ALL',
    (call, scope) => {
      const { text, pattern } = patternCall(call, scope, 2);
      return {
        sql: `list_transform(regexp_extract_all(${text}, ${pattern.sql}, ${groupOf(pattern, call)}), lambda gs_e: COALESCE(gs_e, ''))`,
        type: { kind: 'ARRAY', element: { kind: 'STRING' } },
      };
    },
  ],
  [
    'REGEXP_REPLACE',
    (call, scope) => {
      const { text, pattern, rest } = patternCall(call, scope, 3);
      return {
        sql: `regexp_replace(${text}, ${pattern.sql}, ${rest[0]!.sql}, 'g')`,
        type: { kind: 'STRING' },
      };
    },
  ],
];

const textSpecial = (name: string) => textSpecials.find(([candidate]) => candidate === name)![1];

function patternCall(
  call: Call,
  scope: Scope,
  count: number,
): { text: string; pattern: Fragment; rest: Fragment[] } {
  const operands = expectArguments(call, count, count).map((argument: Expression) =>
    resolveExpression(argument, scope),
  );
  const [text, pattern, ...rest] = operands.map((operand) => {
    const coerced = coerce(operand, { kind: 'STRING' }, call.at);
    if (coerced) return coerced;
    if (operand.type.kind === 'BYTES') throw unsupported(`${call.name} of BYTES`, call.at);
    throw invalid(
      `No matching signature for function ${call.name} for argument types: ${operands.map(({ type }) => typeName(type)).join(', ')}`,
      call.at,
    );
  }) as [Fragment, Fragment, ...Fragment[]];
  if (typeof pattern.value === 'string' && hasUnsupportedSyntax(pattern.value)) {
    throw invalid(`Cannot parse regular expression: invalid perl operator: (?`, call.at);
  }
  return { text: text.sql, pattern, rest };
}

const hasUnsupportedSyntax = (pattern: string): boolean => /\(\?(?:[=!]|<[=!])/.test(pattern);

/** The capturing group that REGEXP_EXTRACT gives: the one there is, or the whole match. */
function groupOf(pattern: Fragment, call: Call): number {
  if (pattern.type.kind === 'NULL' || pattern.value === null) return 0;
  if (typeof pattern.value !== 'string')
    throw unsupported(`${call.name} with a pattern that is no constant`, call.at);
  const withoutClasses = pattern.value.replaceAll(
    /\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\w+:\]|[^\]])*\]/g,
    '',
  );
  const groups = withoutClasses.match(/\((?!\?)|\(\?P?<\w+>/g)?.length ?? 0;
  if (groups > 1)
    throw invalid(
      'Regular expression passed to REGEXP_EXTRACT must not have more than 1 capturing group'.replace(
        'REGEXP_EXTRACT',
        call.name,
      ),
      call.at,
    );
  return groups;
}

/** A group that took no part gives NULL in GoogleSQL and '' in DuckDB; only an optional or alternative group can. */
function extracted(text: string, pattern: Fragment, group: number): string {
  const sql = `regexp_extract(${text}, ${pattern.sql}, ${group})`;
  const mayBeAbsent = group > 0 && /\)(?:[?*]|\{0)|\|/.test(String(pattern.value));
  return mayBeAbsent ? `NULLIF(${sql}, '')` : sql;
}
