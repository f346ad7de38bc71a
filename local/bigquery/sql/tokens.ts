import { type Position, syntaxError } from './errors.ts';

/**
 * A lexical element of GoogleSQL.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical
 */
export interface Token {
  kind:
    | 'name'
    | 'quoted'
    | 'keyword'
    | 'integer'
    | 'float'
    | 'string'
    | 'bytes'
    | 'parameter'
    | 'symbol'
    | 'end';
  /** As written, except that keywords are in capitals. */
  text: string;
  /** What the element stands for: the unescaped string or name, the parameter's name. */
  value: string;
  at: Position;
  start: number;
  end: number;
}

const reserved = new Set(
  (
    'ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT ' +
    'DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM ' +
    'FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT ' +
    'LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE ' +
    'RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST ' +
    'USING WHEN WHERE WINDOW WITH WITHIN'
  ).split(' '),
);

const symbols = ['<=', '>=', '<>', '!=', '||', '<<', '>>', '=>', ...'()[]{},.;:=<>+-*/|&^~?@!$%'];

/** Splits a query into tokens, the last of kind `end`. Throws a syntax error on what no token begins with. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  const positionOf = positions(sql);
  let offset = 0;
  for (;;) {
    offset = skipBlank(sql, offset, positionOf);
    const at = positionOf(offset);
    if (offset >= sql.length) {
      tokens.push({ kind: 'end', text: '', value: '', at, start: offset, end: offset });
      return tokens;
    }
    const token = readToken(sql, offset, at, tokens.at(-1));
    tokens.push(token);
    offset = token.end;
  }
}

/** Finds line and column of an offset; offsets must be asked in ascending order. */
function positions(sql: string): (offset: number) => Position {
  let line = 1;
  let lineStart = 0;
  let scanned = 0;
  return (offset) => {
    for (; scanned < offset; scanned++) {
      if (sql[scanned] === '\n') {
        line++;
        lineStart = scanned + 1;
      }
    }
    return { line, column: offset - lineStart + 1 };
  };
}

function skipBlank(sql: string, from: number, positionOf: (offset: number) => Position): number {
  const blank = /(?:\s+|#[^\n]*|--[^\n]*|\/\*[\s\S]*?\*\/)*/y;
  blank.lastIndex = from;
  blank.exec(sql);
  const offset = blank.lastIndex;
  if (sql.startsWith('/*', offset)) throw syntaxError('Unclosed comment', positionOf(offset));
  return offset;
}

function readToken(sql: string, start: number, at: Position, previous: Token | undefined): Token {
  const make = (kind: Token['kind'], end: number, value = sql.slice(start, end)): Token => ({
    kind,
    text: sql.slice(start, end),
    value,
    at,
    start,
    end,
  });
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = start;
    return pattern.exec(sql)?.[0];
  };
  const opening = match(/(?:[rR][bB]?|[bB][rR]?)?(?:'''|"""|'|")/y);
  if (opening) return readString(sql, start, opening, at);
  // After a dot any word is a name, and digits after a dot that follows a name belong to no number.
  const afterDot = previous?.kind === 'symbol' && previous.text === '.' && previous.end === start;
  const number = afterDot ? undefined : match(/0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y);
  if (number && !(number.startsWith('.') && previous && isPathEnd(previous, start))) {
    const end = start + number.length;
    if (/^0[xX]/.test(number)) return make('integer', end, BigInt(number).toString());
    return make(/^\d+$/.test(number) ? 'integer' : 'float', end);
  }
  const word = match(/[A-Za-z_][A-Za-z0-9_]*/y);
  if (word) {
    const upper = word.toUpperCase();
    const end = start + word.length;
    if (reserved.has(upper) && !afterDot) return { ...make('keyword', end), text: upper };
    return make('name', end);
  }
  if (sql[start] === '`') return readQuotedName(sql, start, at);
  const parameter = match(/@(?:[A-Za-z_][A-Za-z0-9_]*)/y);
  if (parameter) return make('parameter', start + parameter.length, parameter.slice(1));
  const symbol = symbols.find((candidate) => sql.startsWith(candidate, start));
  if (symbol) return make('symbol', start + symbol.length);
  throw syntaxError(
    `Illegal input character ${JSON.stringify(String.fromCodePoint(sql.codePointAt(start)!))}`,
    at,
  );
}

const isPathEnd = (token: Token, start: number): boolean =>
  token.end === start &&
  (token.kind === 'name' || token.kind === 'quoted' || token.text === ')' || token.text === ']');

function readQuotedName(sql: string, start: number, at: Position): Token {
  let end = start + 1;
  while (end < sql.length && sql[end] !== '`' && sql[end] !== '\n') end += sql[end] === '\\' ? 2 : 1;
  if (sql[end] !== '`') throw syntaxError('Unclosed identifier literal', at);
  const value = unescapeLiteral(sql.slice(start + 1, end), at, 1).text;
  if (value === '') throw syntaxError('Invalid empty identifier', at);
  return { kind: 'quoted', text: sql.slice(start, end + 1), value, at, start, end: end + 1 };
}

function readString(sql: string, start: number, opening: string, at: Position): Token {
  const prefix = opening.replace(/['"]+$/, '').toLowerCase();
  const quote = opening.slice(prefix.length);
  const kind = prefix.includes('b') ? 'bytes' : 'string';
  const what = `${quote.length === 3 ? 'triple-quoted ' : ''}${kind === 'bytes' ? 'bytes' : 'string'} literal`;
  let end = start + opening.length;
  while (end < sql.length && !sql.startsWith(quote, end)) {
    if (quote.length === 1 && sql[end] === '\n') break;
    end += sql[end] === '\\' ? 2 : 1;
  }
  if (!sql.startsWith(quote, end)) throw syntaxError(`Unclosed ${what}`, at);
  const body = sql.slice(start + opening.length, end).replaceAll(/\r\n?/g, '\n');
  const unescaped = prefix.includes('r')
    ? { text: body, bytes: Buffer.from(body) }
    : unescapeLiteral(body, at, opening.length);
  return {
    kind,
    text: sql.slice(start, end + quote.length),
    // Bytes travel as hexadecimal, since not every byte string is text.
    value: kind === 'bytes' ? unescaped.bytes.toString('hex') : unescaped.text,
    at,
    start,
    end: end + quote.length,
  };
}

const plainEscapes: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};

function unescapeLiteral(body: string, at: Position, opening: number): { text: string; bytes: Buffer } {
  let text = '';
  const bytes: Buffer[] = [];
  const add = (piece: string) => {
    text += piece;
    bytes.push(Buffer.from(piece));
  };
  const addCode = (code: number) => {
    text += String.fromCodePoint(code);
    bytes.push(Buffer.from([code]));
  };
  const pattern =
    /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))|[^\\]+/g;
  for (const part of body.matchAll(pattern)) {
    const [whole, hex, capitalHex, octal, short, long, plain] = part;
    if (hex ?? capitalHex) addCode(Number.parseInt((hex ?? capitalHex)!, 16));
    else if (octal) addCode(Number.parseInt(octal, 8));
    else if (short ?? long) {
      const code = Number.parseInt((short ?? long)!, 16);
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        throw syntaxError(`Illegal escape sequence: ${whole}`, at);
      }
      add(String.fromCodePoint(code));
    } else if (plain) {
      const meaning = plainEscapes[plain];
      if (meaning === undefined)
        throw syntaxError(`Illegal escape sequence: \\${plain}`, {
          ...at,
          column: at.column + opening + part.index,
        });
      add(meaning);
    } else add(whole);
  }
  return { text, bytes: Buffer.concat(bytes) };
}

/** A token as BigQuery's syntax errors name it. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'end':
      return 'end of script';
    case 'keyword':
      return `keyword ${token.text}`;
    case 'name':
      return `identifier "${token.text}"`;
    case 'quoted':
      return `identifier ${token.text}`;
    case 'integer':
      return `integer literal "${token.text}"`;
    case 'float':
      return `floating point literal "${token.text}"`;
    case 'string':
      return `string literal ${token.text}`;
    case 'bytes':
      return `bytes literal ${token.text}`;
    case 'parameter':
      return `"@"`;
    case 'symbol':
      return `"${token.text}"`;
  }
}
