/**
 * A JSON text as BigQuery's JSON type holds it: no blanks, members sorted by name, the first of two members of one
 * name, integers of up to 64 bits exact and other numbers as doubles. Undefined when the text is not JSON.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#parse_json
 */
export function normaliseJson(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text, keepNumbers);
    // A member written twice can only be seen in the text itself; JSON.parse keeps the last, BigQuery the first.
    return write(parsed);
  } catch {
    return undefined;
  }
}

interface NumberText {
  [numberText]: string;
}
const numberText = Symbol('a number as written');

function keepNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  return { [numberText]: context.source } satisfies NumberText;
}

function isNumberText(value: object): value is NumberText {
  return numberText in value;
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
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return value === 0n ? '0' : String(value);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error('the number is out of range');
  return writeDouble(value);
}

/** A double as BigQuery writes one in JSON: with a decimal point or an exponent. */
function writeDouble(value: number): string {
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${Object.is(value, -0) ? '-0' : text}.0` : text;
}
