import { invalidArgument } from './refuse.ts';

const largestPage = 1000;

/**
 * One page of names in their order; page size 0 takes the server's choice. The token is the last name given, so that
 * a page stays right when resources come and go between two calls. Throws INVALID_ARGUMENT for a token it never gave.
 */
export function page(
  names: readonly string[],
  { pageSize = 0, pageToken = '' }: { pageSize?: number; pageToken?: string },
): { items: string[]; nextPageToken: string } {
  if (pageSize < 0) {
    throw invalidArgument(`Invalid page size given (page_size=${pageSize}). It must not be negative.`);
  }
  const after = pageToken === '' ? '' : Buffer.from(pageToken, 'base64url').toString();
  if (pageToken !== '' && !after.startsWith('projects/')) {
    throw invalidArgument(`Invalid page token given (page_token=${pageToken}).`);
  }
  const size = pageSize === 0 ? largestPage : Math.min(pageSize, largestPage);
  const rest = names.filter((name) => name > after).sort();
  const items = rest.slice(0, size);
  const last = items.at(-1);
  const nextPageToken =
    last !== undefined && rest.length > items.length ? Buffer.from(last).toString('base64url') : '';
  return { items, nextPageToken };
}
