/** What a message is, as Segment's documentation calls it. */
export type MessageType = (typeof messageTypes)[number];

const messageTypes = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const;
const knownTypes: ReadonlySet<string> = new Set(messageTypes);

export const isMessageType = (value: unknown): value is MessageType =>
  typeof value === 'string' && knownTypes.has(value);

/** The type of the one message that a path takes, or `batch` where each of its messages names its own. */
export type Endpoint = MessageType | 'batch';

/** The single letters are those of Analytics.js, which takes the first one of the type. */
const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ...messageTypes.map((type) => [type, type] as const),
  ...messageTypes.map((type) => [type.charAt(0), type] as const),
  ['batch', 'batch'],
  ['b', 'batch'],
  // Of history, by RudderStack's documentation; before by Segment's own.
  ['import', 'batch'],
]);

/** Under `/v1` all; RudderStack's web SDK sends what is left when a page is closed to `/beacon/v1/batch`. */
export function readEndpoint(path: string): Endpoint | undefined {
  const name = /^\/+(?:beacon\/+)?v1\/+([a-z]+)\/*$/.exec(path)?.[1];
  return name === undefined ? undefined : endpoints.get(name);
}
