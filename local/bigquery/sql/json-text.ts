/**
 * A JSON text as BigQuery's JSON type holds it: no blanks, members sorted by name, the first of two members of one
 * name, integers of up to 64 bits exact and other numbers as doubles. Undefined when the text is not JSON.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json
 */
export function normaliseJson(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text, keepNumber);
    return write(countMembers(parsed) < countWrittenMembers(text) ? parseKeepingFirst(text) : parsed);
  } catch {
    return undefined;
  }
}

const numberText = Symbol('a number as written');

interface NumberText {
  [numberText]: string;
}

function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return { [numberText]: context.source } satisfies NumberText;
}

function isNumberText(value: object): value is NumberText {
  return numberText in value;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const children = Object.values(value);
  return children.reduce<number>(
    (sum, child) => sum + countMembers(child),
    Array.isArray(value) ? 0 : children.length,
  );
}

const countWrittenMembers = (text: string): number =>
  text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g).reduce((sum, match) => sum + (match[1] ? 1 : 0), 0);

/** Reads valid JSON again, since JSON.parse keeps the last of two members of one name. */
function parseKeepingFirst(text: string): unknown {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[^\s"{}[\],:]+|[{}[\],:]/g) ?? [];
  let index = 0;
  const readValue = (): unknown => {
    const token = tokens[index++]!;
    if (token === '[') {
      const elements: unknown[] = [];
      while (tokens[index] !== ']') {
        elements.push(readValue());
        if (tokens[index] === ',') index++;
      }
      index++;
      return elements;
    }
    if (token !== '{') return JSON.parse(token, keepNumber);
    const members = new Map<string, unknown>();
    while (tokens[index] !== '}') {
      const name = String(JSON.parse(tokens[index]!));
      index += 2;
      const value = readValue();
      if (!members.has(name)) members.set(name, value);
      if (tokens[index] === ',') index++;
    }
    index++;
    return Object.fromEntries(members);
  };
  return readValue();
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isNumberText(value)) return writeNumber(value[numberText]);
  const members = Object.entries(value).sort(([left], [right]) => compareBytes(left, right));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`;
}

const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

function writeNumber(text: string): string {
  if (/^-?\d+$/.test(text)) {
    const value = BigInt(text);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return String(value);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error('the number is out of range');
  return writeDouble(value);
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
