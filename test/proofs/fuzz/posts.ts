import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  type Context,
  type Dice,
  type ExpectedAnswer,
  type FuzzCase,
  type FuzzDialect,
  hashOf,
  type Post,
  toBytes,
} from './cases.ts';
import { oddMembers } from './events.ts';
import type { Item, Outcome } from './reference-decoder.ts';
import { type Json, parseReference } from './reference-json.ts';

/** An element whose truth is known from how it was made; one may be several events. */
export interface MadeElement {
  readonly text: string;
  readonly items: readonly Item[];
}

export const refused: readonly Item[] = [{ kind: 'refused' }];

export interface Told {
  readonly family: string;
  readonly dialect: FuzzDialect;
  readonly post: Post;
  readonly outcome: Outcome;
  readonly otherHashes?: readonly string[];
  readonly answer?: ExpectedAnswer;
}

/** A case of one request that arrives whole. */
export function tell({
  family,
  dialect,
  post,
  outcome,
  otherHashes = [],
  answer = 'success',
}: Told): FuzzCase {
  return {
    family: `${dialect}: ${family}`,
    dialect,
    steps: [{ write: toBytes(post) }],
    expected: [{ answer, outcome, hash: hashOf(post), otherHashes, mayBeAbsent: false }],
  };
}

export const hashWith = (post: Post, body: Buffer): string => hashOf({ ...post, body });

/** Members of an object as text, a mark of the case among them, and what they are. */
export function someMembers(
  dice: Dice,
  mark: string,
): { readonly text: string; readonly value: ReadonlyMap<string, Json> } {
  const odd = dice.chance(0.5) ? dice.pick(oddMembers)(dice) : '"price":129.95,"item":"跑步机"';
  // Longer strings than Analysys takes are cut in that dialect alone.
  const text = `{"mark":${JSON.stringify(mark)},"secret":${JSON.stringify(`sekret-${mark}`)}${odd === '' || odd.length > 5000 ? '' : `,${odd}`}}`;
  const value = parseReference(text);
  if (!(value instanceof Map)) throw new TypeError('the members of an object');
  return { text, value };
}

/** An object of members that are text already; undefined leaves one out. */
export const writeObject = (members: Readonly<Record<string, string | undefined>>): string =>
  `{${Object.entries(members)
    .flatMap(([key, text]) => (text === undefined ? [] : [`${JSON.stringify(key)}:${text}`]))
    .join(',')}}`;

export const quote = (text: string): string => JSON.stringify(text);

export const noObjects = ['null', '1', '"event"', 'true', '[]', '[[]]', '1e999', '-0', '[{"name":"x"}]'];

/** Each of these makes JSON none. */
export const spoil = (text: string, { dice }: Context): string =>
  dice.pick<(sound: string) => string>([
    (sound) => sound.slice(0, -1 - dice.below(Math.max(1, sound.length - 2))),
    (sound) => sound.replace('"mark":', '"n":NaN,"mark":'),
    (sound) => sound.replace('"mark":', '"n":01,"mark":'),
    (sound) => sound.replace('"mark":', '"n":"\\x41","mark":'),
    (sound) => sound.replace('"mark":', 'mark:1,"mark":'),
    (sound) => `${sound}x`,
    (sound) => `{${sound}`,
  ])(text);

/** Bytes as if they were large: each is made once, since it costs its maker seconds. */
export function once<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

export const gzip = (bytes: Buffer | string): Buffer => gzipSync(bytes, { level: 1 });

/** 32 hex digits that no other case has. */
export const idOf = (mark: string): string => createHash('md5').update(mark).digest('hex');
