import { createHash } from 'node:crypto';
import type { Random } from './random.ts';
import { invalidArgument } from './refuse.ts';

export interface PageRequest {
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface PageRules {
  readonly random: Random;
  /** Whether pages may be shorter than asked for, and even empty, with more to come: the API reserves that. */
  readonly shortPages: boolean;
}

/**
 * One page of a list, in an arbitrary order that holds for a page token and changes with each list that is begun anew.
 * A token says after which item to go on, so that what is deleted meanwhile makes nobody miss another.
 *
 * `list` names the list with its parameters, since a token is good for that one only. Throws INVALID_ARGUMENT for a
 * token of another, and for a page size below zero; one above the largest is lowered to it.
 */
export function readPage<Item extends { readonly name: string }>(
  list: string,
  items: Iterable<Item>,
  request: PageRequest,
  sizes: { readonly standard: number; readonly largest: number },
  rules: PageRules,
): { page: Item[]; nextPageToken: string } {
  const { pageSize = 0, pageToken = '' } = request;
  if (pageSize < 0) throw invalidArgument('page_size must not be negative.');
  const size = pageSize === 0 ? sizes.standard : Math.min(pageSize, sizes.largest);
  const token =
    pageToken === ''
      ? { list, salt: Math.floor(rules.random() * 2 ** 32), after: '' }
      : readToken(pageToken, list);
  const ordered = [...items]
    .map((item) => ({ item, key: orderOf(token.salt, item.name) }))
    .filter(({ key }) => key > token.after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const taken = rules.shortPages ? Math.floor(rules.random() * (size + 1)) : size;
  const page = ordered.slice(0, taken);
  const isLast = page.length === ordered.length;
  const after = page.at(-1)?.key ?? token.after;
  return {
    page: page.map(({ item }) => item),
    nextPageToken: isLast ? '' : Buffer.from(JSON.stringify({ ...token, after })).toString('base64url'),
  };
}

interface Token {
  readonly list: string;
  readonly salt: number;
  readonly after: string;
}

function readToken(text: string, list: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token;
    if (token.list === list) return token;
  } catch {
    // Answered below as any token that is not of this list.
  }
  throw invalidArgument('The page token is invalid.');
}

function orderOf(salt: number, name: string): string {
  return createHash('sha1').update(`${salt} ${name}`).digest('hex');
}
