import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StorageServer, startStorage } from './index.ts';

let server: StorageServer;
let base: string;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:' });
  base = `http://127.0.0.1:${server.port}`;
});

afterAll(() => server.close());

interface Page {
  items?: { name: string }[];
  prefixes?: string[];
  nextPageToken?: string;
}

interface Query {
  prefix: string;
  delimiter: string;
  startOffset: string;
  endOffset: string;
}

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));

/** What the reference of objects.list says of the parameters, of all names at once. */
function listModel(names: string[], { prefix, delimiter, startOffset, endOffset }: Query) {
  const listed = names
    .toSorted(byBytes)
    .filter((name) => name.startsWith(prefix))
    .filter((name) => byBytes(name, startOffset) >= 0 && (endOffset === '' || byBytes(name, endOffset) < 0));
  const groupOf = (name: string) => {
    const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    return cut < 0 ? undefined : name.slice(0, cut + delimiter.length);
  };
  const groups = listed.map(groupOf).filter((group) => group !== undefined);
  return {
    items: listed.filter((name) => groupOf(name) === undefined),
    prefixes: [...new Set(groups)],
  };
}

test('pages of any size together list what the parameters say, each name and prefix once, in order', async () => {
  const text = (maxLength: number) =>
    fc
      // U+FFFF is before the emoji in UTF-8 and after it in UTF-16.
      .array(fc.constantFrom('a', 'b', '/', '//', 'é', '\uffff', '😀', '\u0000', '\u{10ffff}'), { maxLength })
      .map((parts) => parts.join(''));
  const name = text(5).filter((it) => it !== '');
  let buckets = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 15 }),
      fc.array(
        fc.record({
          prefix: text(2),
          delimiter: fc.oneof(fc.constant('/'), text(2)),
          startOffset: text(2),
          endOffset: text(2),
          maxResults: fc.integer({ min: 1, max: 6 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (names, queries) => {
        const bucket = `bucket-${buckets++}`;
        await fetch(`${base}/storage/v1/b?project=p`, {
          method: 'POST',
          body: JSON.stringify({ name: bucket }),
        });
        for (const each of names) {
          const query = new URLSearchParams({ uploadType: 'media', name: each });
          await fetch(`${base}/upload/storage/v1/b/${bucket}/o?${query}`, { method: 'POST' });
        }
        for (const { maxResults, ...query } of queries) {
          const found: { items: string[]; prefixes: string[] } = { items: [], prefixes: [] };
          let pageToken: string | undefined = '';
          while (pageToken !== undefined) {
            const parameters = new URLSearchParams({ ...query, maxResults: String(maxResults), pageToken });
            const answer = await fetch(`${base}/storage/v1/b/${bucket}/o?${parameters}`);
            const { items = [], prefixes = [], nextPageToken } = (await answer.json()) as Page;
            // A page is full unless it is the last one.
            if (nextPageToken !== undefined) expect(items.length + prefixes.length).toBe(maxResults);
            found.items.push(...items.map((item) => item.name));
            found.prefixes.push(...prefixes);
            pageToken = nextPageToken;
          }
          expect(found).toEqual(listModel(names, query));
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("the listing that Google's client for Go asks for is answered: its parameters ask for nothing else", async () => {
  await fetch(`${base}/storage/v1/b?project=local`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'from-go' }),
  });
  const asked = `alt=json&delimiter=%2F&endOffset=&includeTrailingDelimiter=false&pageToken=&prefix=a%2F&prettyPrint=false&projection=full&startOffset=&versions=false`;
  const answer = await fetch(`${base}/storage/v1/b/from-go/o?${asked}`);
  expect([answer.status, await answer.json()]).toEqual([200, { kind: 'storage#objects' }]);
});
