import type { Call } from '../ast.ts';
import type { Fragment } from '../fragment.ts';
import type { Scope } from '../scope.ts';
import { arraySignatures } from './array.ts';
import { conditionals } from './conditional.ts';
import { dateSignatures, dateSpecials } from './date.ts';
import { dateArithmetic } from './date-arithmetic.ts';
import { dateFormats } from './date-format.ts';
import { jsonSignatures, jsonSpecials } from './json.ts';
import { numberSignatures } from './number.ts';
import type { Signature } from './signature.ts';
import { textSignatures, textSpecials } from './text.ts';

type Special = (call: Call, scope: Scope) => Fragment;

// Made when first asked for: these modules and the resolver import each other.
let tables:
  | { signatures: ReadonlyMap<string, Signature[]>; specials: ReadonlyMap<string, Special> }
  | undefined;

function functionTables() {
  tables ??= {
    signatures: Map.groupBy(
      [...textSignatures, ...numberSignatures, ...dateSignatures, ...arraySignatures, ...jsonSignatures],
      ({ name }) => name,
    ),
    specials: new Map([
      ...conditionals,
      ...dateSpecials,
      ...dateArithmetic,
      ...dateFormats,
      ...textSpecials,
      ...jsonSpecials,
    ]),
  };
  return tables;
}

/** The signatures of a function that has ordinary arguments. */
export const signaturesOf = (name: string): Signature[] | undefined => functionTables().signatures.get(name);

/** A function that looks at how its arguments are written: date parts, constants, arguments of any type. */
export const specialOf = (name: string): Special | undefined => functionTables().specials.get(name);

/** GoogleSQL has these and the local BigQuery does not: refused as such rather than as unknown. */
export const knownButUnsupported: ReadonlySet<string> = new Set(
  (
    'ACOSH ASINH ATANH COSH SINH TANH COT COTH CSC CSCH SEC SECH CBRT RANGE_BUCKET APPROX_TOP_COUNT APPROX_TOP_SUM ' +
    'BIT_CAST_TO_INT64 CODE_POINTS_TO_BYTES CODE_POINTS_TO_STRING TO_CODE_POINTS COLLATE NORMALIZE ' +
    'NORMALIZE_AND_CASEFOLD REGEXP_INSTR SOUNDEX EDIT_DISTANCE TO_BASE32 FROM_BASE32 SHA512 FARM_FINGERPRINT ' +
    'FORMAT FORMAT_TIME PARSE_TIME PARSE_DATETIME TIME_ADD JUSTIFY_DAYS JUSTIFY_HOURS JUSTIFY_INTERVAL MAKE_INTERVAL ' +
    'JSON_SET JSON_REMOVE JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_FLATTEN JSON_CONTAINS LAX_STRING_ARRAY ' +
    'LAX_INT64_ARRAY LAX_FLOAT64_ARRAY LAX_BOOL_ARRAY STRING_ARRAY INT64_ARRAY FLOAT64_ARRAY BOOL_ARRAY ' +
    'GROUPING HLL_COUNT.INIT HLL_COUNT.MERGE HLL_COUNT.EXTRACT HLL_COUNT.MERGE_PARTIAL NET.HOST NET.REG_DOMAIN ' +
    'NET.PUBLIC_SUFFIX NET.IP_FROM_STRING NET.SAFE_IP_FROM_STRING NET.IP_TO_STRING NET.IP_NET_MASK NET.IP_TRUNC ' +
    'GENERATE_RANGE_ARRAY RANGE SEARCH VECTOR_SEARCH ARRAY_FILTER ARRAY_TRANSFORM ARRAY_MIN ARRAY_MAX ARRAY_SUM ' +
    'ARRAY_AVG ARRAY_IS_DISTINCT ARRAY_INCLUDES_ANY ARRAY_INCLUDES_ALL PARSE_NUMERIC PARSE_BIGNUMERIC COSINE_DISTANCE ' +
    'EUCLIDEAN_DISTANCE'
  ).split(' '),
);
