import { isDeepStrictEqual } from 'node:util';
import { type Difference, differences } from '../pubsub-differences.ts';
import type { Case, Observation } from './case.ts';
import { cases } from './cases.ts';

/** The page that holds the table, and the lines around it. */
export const differencesPage = 'local/pubsub/README.md';
const begin = '<!-- written by npm run proof:pubsub -- --write -->';
const end = '<!-- end of what is written -->';

/** The page with its table as it has to be. Throws when the page has no place for it. */
export function withTable(page: string): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`${differencesPage} has no place for the table`);
  return `${before}${begin}\n\n${writeTables()}\n${end}${after}`;
}

/** A page without the blanks that align its tables, which are the formatter's. */
export const withoutPadding = (page: string): string =>
  page.replaceAll(/ {2,}/g, ' ').replaceAll(/\| -+(?= \|)/g, '| ---');

function writeTables(): string {
  const listed = cases.flatMap((one) => {
    const difference = differences[one.name];
    return difference === undefined ? [] : [{ one, difference }];
  });
  const refused = listed.filter(({ difference }) => difference.ours !== undefined);
  const emulators = listed.filter(({ difference }) => difference.ours === undefined);
  return [
    `Of ${cases.length} behaviours the local Pub/Sub has ${cases.length - refused.length} as documented and refuses ` +
      `${refused.length}; Google's emulator does not have ` +
      `${listed.filter(({ difference }) => difference.google !== undefined).length} as documented.`,
    '',
    '### What the local Pub/Sub refuses',
    '',
    "| documented | the local Pub/Sub answers UNIMPLEMENTED | Google's emulator | |",
    '| --- | --- | --- | --- |',
    ...refused.map(({ one, difference }) =>
      row(cite(one), refusals(difference.ours), emulatorCell(one, difference), difference.why),
    ),
    '',
    "### What Google's emulator does otherwise, where the documentation supports the local Pub/Sub",
    '',
    "| documented, and done by the local Pub/Sub | documented | Google's emulator | |",
    '| --- | --- | --- | --- |',
    ...emulators.map(({ one, difference }) => {
      const [documented, google] = whereTheyDiffer(one.documented, difference.google ?? null);
      return row(cite(one), write(documented), write(google), difference.why);
    }),
    '',
  ].join('\n');
}

const row = (...cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The name of a case with its page. */
function cite({ name, from }: Case): string {
  if (!from.startsWith('cloud.google.com/')) return `${name} (\`${from}\`)`;
  const title = from.slice(from.lastIndexOf('/') + 1).replace('#', ', ');
  return `${name} ([${title.replaceAll(/[-_]/g, ' ')}](https://${from}))`;
}

function emulatorCell(one: Case, { google }: Difference): string {
  return google === undefined ? 'as documented' : write(whereTheyDiffer(one.documented, google)[1]);
}

/** The things that refusals name, once each. */
function refusals(ours: Observation | undefined): string {
  const texts = typeof ours === 'string' ? [ours] : Object.values(ours ?? {}).map(String);
  const named = texts.map((text) => /(?:implement (?:the method )?)([^ ]+?)\.?$/.exec(text)?.[1] ?? text);
  return [...new Set(named)].map((name) => `\`${name}\``).join(', ');
}

/** Both without the keys on which they agree. */
function whereTheyDiffer(one: Observation, other: Observation): [Observation, Observation] {
  if (!isRecord(one) || !isRecord(other)) return [one, other];
  const keys = Object.keys({ ...one, ...other }).filter((key) => !isDeepStrictEqual(one[key], other[key]));
  const pick = (from: Readonly<Record<string, Observation>>) =>
    Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
  return [pick(one), pick(other)];
}

function isRecord(value: Observation): value is { readonly [key: string]: Observation } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function write(value: Observation): string {
  if (typeof value === 'string') return value.trim();
  if (!isRecord(value)) return `\`${JSON.stringify(value)}\``;
  return Object.entries(value)
    .map(([key, one]) => `${key}: ${typeof one === 'string' ? one : JSON.stringify(one)}`)
    .join('; ');
}
