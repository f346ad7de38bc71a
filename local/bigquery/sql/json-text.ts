/**
 * The text of a JSON value as BigQuery's JSON type holds it, whichever way it comes in: whitespace goes, members are
 * ordered by name, of duplicate names the first stays, integers of 64 bits (signed or unsigned) stay exact, other
 * numbers are doubles. `exact`, the default of PARSE_JSON and what appends do, refuses a number that a FLOAT64 would
 * change; `round` takes the nearest one. Throws JsonTextError for what BigQuery refuses.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json and "JSON type" of the data
 * types. The documentation promises no member order; BigQuery's own is that of the names' bytes.
 */
export function canonicalJson(text: string, wideNumberMode: 'exact' | 'round' = 'exact'): string {
  let position = 0;
  const result = value(0);
  skipWhitespace();
  if (position !== text.length) fail('unexpected text after the value');
  return result;

  function value(depth: number): string {
    skipWhitespace();
    switch (text[position]) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case undefined:
        return fail('unexpected end of input');
      default:
        return match(literal) ?? numeral();
    }
  }

  function object(depth: number): string {
    if (depth > MAX_DEPTH) fail(`nesting exceeds ${MAX_DEPTH} levels`);
    position += 1;
    const members = new Map<string, string>();
    let sorted = true;
    let previous = '';
    skipWhitespace();
    if (take('}')) return '{}';
    do {
      skipWhitespace();
      if (text[position] !== '"') fail('expected a member name');
      const name = string();
      skipWhitespace();
      if (!take(':')) fail("expected ':'");
      const member = value(depth);
      if (!members.has(name)) {
        sorted &&= members.size === 0 || compareNames(previous, name) <= 0;
        members.set(name, member);
        previous = name;
      }
      skipWhitespace();
    } while (take(','));
    if (!take('}')) fail("expected ',' or '}'");
    const ordered = sorted ? [...members] : [...members].sort(([left], [right]) => compareNames(left, right));
    return `{${ordered.map(([name, member]) => `${name}:${member}`).join(',')}}`;
  }

  function array(depth: number): string {
    if (depth > MAX_DEPTH) fail(`nesting exceeds ${MAX_DEPTH} levels`);
    position += 1;
    skipWhitespace();
    if (take(']')) return '[]';
    const items: string[] = [];
    do {
      items.push(value(depth));
      skipWhitespace();
    } while (take(','));
    if (!take(']')) fail("expected ',' or ']'");
    return `[${items.join(',')}]`;
  }

  function string(): string {
    const plain = match(plainString);
    if (plain !== undefined) return plain;
    const escaped = match(anyString);
    if (escaped === undefined) return fail('invalid string');
    const parsed = JSON.parse(escaped) as string;
    if (!parsed.isWellFormed()) fail('a surrogate without its other half');
    return JSON.stringify(parsed);
  }

  function numeral(): string {
    number.lastIndex = position;
    const found = number.exec(text);
    if (found === null) return fail('invalid literal');
    position = number.lastIndex;
    const [token, fraction, exponent] = found;
    if (fraction === undefined && exponent === undefined) {
      if (token.length < 16) return token === '-0' ? '0' : token;
      const integer = BigInt(token);
      if (integer >= MIN_INTEGER && integer <= MAX_INTEGER) return token;
    }
    const double = Number(token);
    if (!Number.isFinite(double)) fail(`number overflow parsing '${token}'`);
    if (wideNumberMode === 'exact' && decimal(String(double)) !== decimal(token)) {
      fail(`Input number: ${token} cannot round-trip through string representation`);
    }
    return writeDouble(double);
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = position;
    if (!pattern.test(text)) return undefined;
    const found = text.slice(position, pattern.lastIndex);
    position = pattern.lastIndex;
    return found;
  }

  function take(character: string): boolean {
    if (text[position] !== character) return false;
    position += 1;
    return true;
  }

  function skipWhitespace(): void {
    const code = text.charCodeAt(position);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    whitespace.lastIndex = position;
    whitespace.test(text);
    position = whitespace.lastIndex;
  }

  function fail(what: string): never {
    throw new JsonTextError(`syntax error while parsing value at character ${position + 1}: ${what}`);
  }
}

export class JsonTextError extends Error {}

/** As above; undefined for what BigQuery refuses. */
export function normaliseJson(text: string, wideNumberMode?: 'exact' | 'round'): string | undefined {
  try {
    return canonicalJson(text, wideNumberMode);
  } catch (error) {
    if (error instanceof JsonTextError) return undefined;
    throw error;
  }
}

/** Nesting limit of the JSON type: "Working with JSON data", limitations. */
const MAX_DEPTH = 500;
const MIN_INTEGER = -(2n ** 63n);
const MAX_INTEGER = 2n ** 64n - 1n;

const whitespace = /[ \t\n\r]*/y;
// JSON allows no character below the space in strings.
const plainString = /"[ !#-[\]-\uffff]*"/y;
const anyString = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const literal = /true|false|null/y;

/** Orders quoted names by the bytes of what they say: an escape sequence must not decide. */
function compareNames(left: string, right: string): number {
  const a = left.includes('\\') ? (JSON.parse(left) as string) : left.slice(1, -1);
  const b = right.includes('\\') ? (JSON.parse(right) as string) : right.slice(1, -1);
  // UTF-16 and UTF-8 order alike but for characters beyond the first plane.
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const surrogate = /[\ud800-\udfff]/;

/** The value of a numeral as digits and a power of ten, the same for every way to write it. */
function decimal(numeral: string): string {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(numeral);
  const [, sign, whole = '', fraction = '', exponent = '0'] = found ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

/** A double in the fewest digits that read back as it: plain up to 15 places before the point, else with an exponent. */
function writeDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const exponent = Number(value.toExponential().split('e')[1]);
  if (exponent > 14 || exponent < -4)
    return value.toExponential().replace(/e([+-])(\d)$/, (_, sign, digit) => `e${sign}0${digit}`);
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}
