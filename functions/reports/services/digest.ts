import { hash } from 'node:crypto';

/** SHA-256, in hex, of a value as JSON with its keys sorted; bigints are written as the integers they are. */
export function digestOf(value: unknown): string {
  return hash('sha256', writeSorted(value));
}

/** The same of a list, of which each value is written already. */
export function digestOfTexts(texts: readonly string[]): string {
  return hash('sha256', `[${texts.join(',')}]`);
}

/** JSON with sorted keys, so that equal values are equal texts. */
export function writeSorted(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(writeSorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  // Rows come by the hundred thousand: no array is made of each field of each.
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const name of Object.keys(fields).sort()) {
    const field = fields[name];
    if (field !== undefined) text += `${text === '' ? '' : ','}${writeName(name)}:${writeSorted(field)}`;
  }
  return `{${text}}`;
}

/** Names are few: those of dimensions and metrics. */
function writeName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const text = JSON.stringify(name);
  if (names.size < mostNames) names.set(name, text);
  return text;
}

const names = new Map<string, string>();
const mostNames = 1_000;
