/** Where the local BigQuery is known to differ from GoogleSQL, and why it is left so. */

const listsSignatures = 'the list of signatures after the message names the local BigQuery’s own';
const ends = 'the end of the text is told in other words, at the same place';

/** By query of `cases.ts`: refused by both, in other words. */
export const explainedCases: Readonly<Record<string, string>> = {
  "SELECT STRPOS('a')": listsSignatures,
  "SELECT REGEXP_EXTRACT(1, 'a')": listsSignatures,
  "SELECT SUBSTR('a', 'b')": listsSignatures,
  "SELECT 1 + 'a'": 'GoogleSQL takes it for the addition of a date, of which the text is none',
  "SELECT JSON '{'": 'what is wrong inside the JSON is not told',
  "SELECT CASE WHEN TRUE THEN 1 ELSE 'a' END": 'the types are told, but not those of the conditions',
  "SELECT 1 WHERE 'a'": 'the position is that of the condition instead of that of WHERE',
  'SELECT 1 IN (SELECT 1, 2)': 'the position is that of IN instead of that of the subquery',
  "SELECT 1 IN ('a')": 'the types are listed one by one',
  'SELECT WITH': 'SELECT WITH is refused before what follows is read',
  'SELECT (1': ends,
  'SELECT 1 +': ends,
  'SELECT a FROM (SELECT 1 AS a) QUALIFY TRUE': 'DuckDB refuses it, in its own words',
};

/** Found by random queries and left as they are; each must still differ. */
export const knownDifferences: Readonly<Record<string, string>> = {
  "SELECT DATE(TIMESTAMP '9999-12-31 23:59:59.999999', 'Asia/Shanghai')":
    'a day after the last that GoogleSQL knows: a check would cost every DATE() of every event',
  "SELECT DATE(TIMESTAMP '0001-01-01 00:00:00', 'America/Sao_Paulo')":
    'a day before the first that GoogleSQL knows, for the same reason',
  "SELECT TIMESTAMP(DATE '0001-01-01', 'Australia/Lord_Howe')":
    'an instant before the first that GoogleSQL knows, for the same reason',
  "SELECT JSON_QUERY('2027-01-01', '$')":
    'GoogleSQL stops reading text where the value that it seeks ends; here text that is no JSON as a whole has none',
  'SELECT PARSE_JSON(TO_JSON_STRING(1e-7))':
    'DuckDB writes the exponents of numbers that it parses while a query runs with one digit',
};

/** Random queries that differ for a reason above. */
export const explainedRandom: readonly { readonly sql: RegExp; readonly here: RegExp }[] = [
  { sql: /PARSE_JSON\(TO_JSON_STRING\(/, here: /\de-\d\b/ },
];
