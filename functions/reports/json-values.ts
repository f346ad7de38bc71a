import type { MetricValue } from './services/service.ts';

/** A JSON object of numbers; integers of any size stay as they are. */
export function encodeNumbers(values: Readonly<Record<string, MetricValue | null>>): string {
  const members = Object.entries(values).map(([name, value]) => {
    const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

/** The same back: what was written without a point is a bigint. Throws where it is no object of numbers. */
export function decodeNumbers(text: string): Record<string, MetricValue> {
  // The source of a number is a third argument that the types do not know yet:
  // github.com/tc39/proposal-json-parse-with-source
  const parsed: unknown = JSON.parse(text, (_, value: unknown, ...rest: unknown[]) => {
    if (typeof value !== 'number') return value;
    const { source = '' } = rest[0] as { readonly source?: string };
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('the metrics are no object');
  const values: Record<string, MetricValue> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'bigint' && typeof value !== 'number') {
      throw new TypeError(`the metric ${name} is no number`);
    }
    values[name] = value;
  }
  return values;
}
