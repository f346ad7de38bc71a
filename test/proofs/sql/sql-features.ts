import { type Token, tokenize } from '../../../local/bigquery/sql/tokens.ts';

/** What of GoogleSQL a query uses, each by its name in capitals: `SUBSTR()` is a function, `GROUP BY` a clause. */
export interface SqlFeatures {
  readonly functions: ReadonlySet<string>;
  readonly clauses: ReadonlySet<string>;
}

/** Reads the functions and clauses off the words of a query, without judging whether it is valid. */
export function featuresOf(sql: string): SqlFeatures {
  const tokens = tokenize(sql);
  const functions = new Set<string>();
  for (const [index, token] of tokens.entries()) {
    const name = functionAt(tokens, index);
    if (name !== undefined) functions.add(name);
    else if (isWord(token, bareCalls)) functions.add(token.text.toUpperCase());
  }
  return { functions, clauses: clausesOf(tokens) };
}

const bareCalls = ['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'CURRENT_DATETIME', 'CURRENT_TIME'];
/** Reserved words that are called as functions are. */
const calledKeywords = ['CAST', 'EXTRACT', 'IF', 'LEFT', 'RIGHT', 'ARRAY', 'STRUCT'];
/** What these are followed by in parentheses is no list of arguments. */
const notCalled = [
  'OVER',
  'USING',
  'VALUES',
  'UNNEST',
  'EXCEPT',
  'REPLACE',
  'IN',
  'AS',
  'EXISTS',
  'WINDOW',
  'INSERT',
];

function functionAt(tokens: readonly Token[], index: number): string | undefined {
  const token = tokens[index]!;
  if (!isSymbol(tokens[index + 1], '(')) return undefined;
  const name = token.text.toUpperCase();
  const before = tokens[index - 1];
  if (token.kind === 'keyword') return calledKeywords.includes(name) ? name : undefined;
  if (token.kind !== 'name') return undefined;
  // SELECT * REPLACE (...), and a named window.
  if (notCalled.includes(name) && (isSymbol(before, '*') || name !== 'REPLACE')) return undefined;
  if (!isSymbol(before, '.')) return isWord(before, ['FROM', 'JOIN', 'CROSS']) ? undefined : name;
  // SAFE.F is F as well; NET.F and HLL_COUNT.F have two parts; any other path is that of a table function.
  const prefix = tokens[index - 2]?.text.toUpperCase() ?? '';
  if (prefix === 'SAFE') return name;
  return ['NET', 'HLL_COUNT', 'KEYS', 'AEAD'].includes(prefix) ? `${prefix}.${name}` : undefined;
}

/**
 * The clauses and operators, each a pattern over the words of a query as `shape` writes them. Every reserved word must
 * belong to one: what belongs to none is a feature of its own.
 */
const clausePatterns: Readonly<Record<string, RegExp>> = {
  WITH: /\bWITH name AS \(/,
  'WITH RECURSIVE': /\bWITH RECURSIVE\b/,
  'WITH OFFSET': /\bWITH name\b(?! AS \()/,
  'SELECT DISTINCT': /\bSELECT DISTINCT\b/,
  'SELECT AS STRUCT': /\bSELECT AS STRUCT\b/,
  'SELECT *': /\bSELECT \*/,
  'SELECT * EXCEPT': /\* EXCEPT \(/,
  'SELECT * REPLACE': /\* name \(/,
  'SELECT name.*': /\bname \. \*/,
  FROM: /\bFROM\b/,
  'comma join': /\bFROM (?:name(?: \. name)*|UNNEST \( .*? \))(?: AS)?(?: name)? , /,
  JOIN: /(?<!\b(?:LEFT|RIGHT|FULL|CROSS|OUTER)) JOIN\b/,
  'LEFT JOIN': /\bLEFT (?:OUTER )?JOIN\b/,
  'RIGHT JOIN': /\bRIGHT (?:OUTER )?JOIN\b/,
  'FULL JOIN': /\bFULL (?:OUTER )?JOIN\b/,
  'CROSS JOIN': /\bCROSS JOIN\b/,
  ON: /\bON\b/,
  USING: /\bUSING \(/,
  UNNEST: /\bUNNEST \(/,
  WHERE: /\bWHERE\b/,
  'GROUP BY': /\bGROUP BY\b/,
  HAVING: /\bHAVING\b/,
  QUALIFY: /\bQUALIFY\b/,
  WINDOW: /\bWINDOW\b/,
  OVER: /\bOVER\b/,
  'PARTITION BY': /\bPARTITION BY\b/,
  'ROWS frame': /\bROWS\b/,
  'RANGE frame': /\bRANGE\b/,
  'ORDER BY': /\bORDER BY\b/,
  DESC: /\bDESC\b/,
  'NULLS FIRST': /\bNULLS name\b/,
  'IGNORE NULLS': /\b(?:IGNORE|RESPECT) NULLS\b/,
  LIMIT: /\bLIMIT\b/,
  'UNION ALL': /\bUNION ALL\b/,
  'UNION DISTINCT': /\bUNION DISTINCT\b/,
  'EXCEPT DISTINCT': /\bEXCEPT DISTINCT\b/,
  'INTERSECT DISTINCT': /\bINTERSECT DISTINCT\b/,
  CASE: /\bCASE\b/,
  'aggregate of DISTINCT': /\( DISTINCT\b/,
  AND: /\bAND\b/,
  OR: /\bOR\b/,
  NOT: /\bNOT\b/,
  'IS NULL': /\bIS (?:NOT )?NULL\b/,
  'IS TRUE': /\bIS (?:NOT )?(?:TRUE|FALSE)\b/,
  'IS DISTINCT FROM': /\bIS (?:NOT )?DISTINCT FROM\b/,
  IN: /\bIN \(/,
  'IN UNNEST': /\bIN UNNEST\b/,
  EXISTS: /\bEXISTS \(/,
  BETWEEN: /\bBETWEEN\b/,
  LIKE: /\bLIKE\b/,
  INTERVAL: /\bINTERVAL\b/,
  'AT TIME ZONE': /\bAT name name\b/,
  'typed literal': /\bname text\b/,
  subscript: /(?:name|\)|\]) \[/,
  comparison: / (?:<|<=|>|>=|=|!=|<>) /,
  arithmetic: / [+/-] | \* (?:name|number|\()/,
  'bitwise operator': / (?:&|\||\^|~|<<|>>) /,
  '||': / \|\| /,
};

/** Reserved words that are told by the clauses above or that are values, types and parts of calls. */
const toldElsewhere = new Set(
  (
    'SELECT AS BY ALL ASC NULL TRUE FALSE WHEN THEN ELSE END FOLLOWING PRECEDING UNBOUNDED CURRENT STRUCT ARRAY CAST ' +
    'EXTRACT IF LEFT RIGHT OUTER INNER FULL CROSS JOIN DISTINCT UNION EXCEPT INTERSECT NULLS RESPECT IGNORE IS AT ' +
    'GROUP ORDER PARTITION RECURSIVE WITH ROWS RANGE ' +
    // The evaluator of GoogleSQL runs queries only: what changes tables is tested at the local BigQuery's own interface.
    'MERGE INTO SET'
  ).split(' '),
);

function clausesOf(tokens: readonly Token[]): Set<string> {
  const text = shape(tokens);
  const found = Object.entries(clausePatterns).filter(([, pattern]) => pattern.test(text));
  const words = tokens.filter(({ kind }) => kind === 'keyword').map((token) => token.text);
  const own = words.filter((word) => !toldElsewhere.has(word) && clausePatterns[word] === undefined);
  return new Set([...found.map(([name]) => name), ...own]);
}

/** The query with each name, text and number written as such, and one blank between all words. */
function shape(tokens: readonly Token[]): string {
  const words = tokens.map((token) => {
    if (token.kind === 'name' || token.kind === 'quoted') return 'name';
    if (token.kind === 'string' || token.kind === 'bytes') return 'text';
    if (token.kind === 'integer' || token.kind === 'float') return 'number';
    return token.kind === 'parameter' ? 'number' : token.text;
  });
  return ` ${words.join(' ')}`;
}

const isSymbol = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'symbol' && token.text === text;

const isWord = (token: Token | undefined, words: readonly string[]): boolean =>
  token !== undefined && token.kind !== 'quoted' && words.includes(token.text.toUpperCase());
