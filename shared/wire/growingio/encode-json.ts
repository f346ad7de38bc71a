import type { EncodedRequest, ListKind } from './encoded-request.ts';

/** Where lists of a kind are posted to: the path without its query. */
export function pathOf(kind: ListKind, project: string): string {
  const name = encodeURIComponent(project);
  switch (kind) {
    case 'event':
      return `/v3/projects/${name}/collect`;
    case 'item':
      return `/projects/${name}/collect/item`;
    case 'user_mapping':
      return `/projects/${name}/collect/user-mapping`;
  }
}

export const jsonHeaders = { 'Content-Type': 'application/json' } as const;

/** As the vendor's Python SDK does with JsonParser, from elements that are JSON already. `sentAt`: milliseconds since 1970. */
export const encodeJsonTexts = (
  kind: ListKind,
  project: string,
  elements: readonly string[],
  sentAt: number,
): EncodedRequest => ({
  path: `${pathOf(kind, project)}?stm=${sentAt}`,
  headers: jsonHeaders,
  body: writeList(elements),
});

/** Compact, and beyond ASCII escaped, as Python's json.dumps writes it. */
export function writeList(elements: readonly string[]): Uint8Array {
  const escaped = `[${elements.join(',')}]`.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new TextEncoder().encode(escaped);
}
