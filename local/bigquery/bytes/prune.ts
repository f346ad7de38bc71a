/**
 * Which partitions a scan's conditions leave, as BigQuery prunes: by comparisons of the partition column with constants.
 * Whatever else a condition says, it leaves every partition.
 * https://cloud.google.com/bigquery/docs/querying-partitioned-tables
 */

/**
 * A partition by what its rows hold in the partition column, whole numbers (microseconds, days or integers): a range, both
 * ends inclusive; NULL; or anything, for integers outside of every range.
 */
export type Partition = { kind: 'range'; low: bigint; high: bigint } | { kind: 'null' } | { kind: 'other' };

/** Whether rows of the partition may meet a condition, in DuckDB's words, over the column. */
export function mayMeet(condition: string, column: string, partition: Partition): boolean {
  if (partition.kind === 'other') return true;
  const tokens = tokenize(condition);
  if (tokens === undefined || tokens.some(({ text }) => text.toUpperCase() === 'CASE')) return true;
  return mayHold(tokens, column.toLowerCase(), partition);
}

interface Token {
  kind: 'word' | 'constant' | 'symbol';
  text: string;
  /** Undefined for a constant that is nothing to compare by. */
  value?: bigint;
}

type Known = Exclude<Partition, { kind: 'other' }>;

const PATTERN =
  /\s*(?:'((?:[^']|'')*)'(?:::(TIMESTAMP WITH TIME ZONE|[A-Z]+))?|(-?\d+(?:\.\d+)?)(?![\w.])|("(?:[^"]|"")*"|[A-Za-z_][\w.]*)|(<=|>=|!=|<>|[-<>=(),*+/|%[\]:{}?&^~.!;]))/y;

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  PATTERN.lastIndex = 0;
  while (PATTERN.lastIndex < text.trimEnd().length) {
    const found = PATTERN.exec(text);
    if (found === null) return undefined;
    const [, quoted, type, number, word, symbol] = found;
    if (quoted !== undefined) tokens.push(constant(quoted, valueOfText(quoted, type)));
    else if (number !== undefined)
      tokens.push(constant(number, /^-?\d+$/.test(number) ? BigInt(number) : undefined));
    else if (word !== undefined) tokens.push({ kind: 'word', text: word.replaceAll('"', '') });
    else tokens.push({ kind: 'symbol', text: symbol! });
  }
  return tokens;
}

const constant = (text: string, value: bigint | undefined): Token => ({
  kind: 'constant',
  text,
  ...(value !== undefined && { value }),
});

/** A date in days, a time in microseconds; both since 1970. */
function valueOfText(text: string, type: string | undefined): bigint | undefined {
  const parts = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:\+00)?)?$/.exec(text);
  if (parts === null || type === undefined) return undefined;
  const [, day, clock = '00:00:00', fraction = ''] = parts;
  const millis = Date.parse(`${day}T${clock}Z`);
  if (Number.isNaN(millis)) return undefined;
  if (type === 'DATE') return BigInt(millis / 86_400_000);
  return BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function mayHold(tokens: readonly Token[], column: string, partition: Known): boolean {
  const inner = withoutParentheses(tokens);
  const either = splitAt(inner, 'OR');
  if (either.length > 1) return either.some((part) => mayHold(part, column, partition));
  const both = splitAt(inner, 'AND');
  if (both.length > 1) return both.every((part) => mayHold(part, column, partition));
  return mayMeetComparison(inner, column, partition);
}

function withoutParentheses(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (inner[0]?.text === '(' && inner[0].kind === 'symbol' && closing(inner) === inner.length - 1) {
    inner = inner.slice(1, -1);
  }
  return inner;
}

/** Where the parenthesis that comes first is closed. */
function closing(tokens: readonly Token[]): number {
  let depth = 0;
  return tokens.findIndex((token) => {
    depth += depthChange(token);
    return depth === 0;
  });
}

const depthChange = ({ kind, text }: Token): number => {
  if (kind !== 'symbol') return 0;
  return text === '(' ? 1 : text === ')' ? -1 : 0;
};

function splitAt(tokens: readonly Token[], word: 'AND' | 'OR'): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    depth += depthChange(token);
    if (depth === 0 && token.kind === 'word' && token.text === word) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

function mayMeetComparison(tokens: readonly Token[], column: string, partition: Known): boolean {
  const [first, operator, ...rest] = tokens;
  if (first?.kind !== 'word' || first.text.toLowerCase() !== column || operator === undefined) return true;
  const text = operator.text.toUpperCase();
  if (text === 'IS') {
    const words = rest.map((token) => token.text.toUpperCase()).join(' ');
    if (words === 'NULL') return partition.kind === 'null';
    return words === 'NOT NULL' ? partition.kind !== 'null' : true;
  }
  if (text === 'IN') {
    const items = withoutParentheses(rest).filter((token) => token.text !== ',' || token.kind !== 'symbol');
    if (items.length === 0 || items.some(({ value }) => value === undefined)) return true;
    return items.some(({ value }) => compares('=', value!, partition));
  }
  const [operand, ...more] = rest;
  if (operand?.value === undefined || more.length > 0) return true;
  return compares(text, operand.value, partition);
}

function compares(operator: string, value: bigint, partition: Known): boolean {
  // No comparison holds for NULL.
  if (partition.kind === 'null') return !['=', '<', '<=', '>', '>='].includes(operator);
  const { low, high } = partition;
  switch (operator) {
    case '=':
      return low <= value && value <= high;
    case '<':
      return low < value;
    case '<=':
      return low <= value;
    case '>':
      return high > value;
    case '>=':
      return high >= value;
    default:
      return true;
  }
}
