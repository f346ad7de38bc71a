import { type Captured, canonical } from './captured.ts';
import { type Element, readList } from './growingio-protobuf.ts';
import { type Capture, growingioElements, readCaptures } from './replay-captures.ts';

const requests = readCaptures('growingio', growingioElements);

/** What the request holds, as it was decoded when it was recorded; protobuf by the vendor's messages. */
function elementsOf({ file, decoded, path, body_base64: body }: Capture<Element[] | string>): Element[] {
  if (typeof decoded !== 'string') return decoded;
  const bytes = Buffer.from(body, 'base64');
  if (decoded !== `hex:${bytes.toString('hex')}`) throw new Error(`${file} ${path} is not what it holds`);
  return readList(path.includes('/collect/item') ? 'ItemDtoList' : 'EventV3List', bytes);
}

/** The elements as the SDK sent them; an item that was sent in three ways is the same item. */
export const sentElements: readonly Element[] = [
  ...new Map(requests.flatMap(elementsOf).map((element) => [canonical(element), element])).values(),
];
const isTrack = ({ eventType }: Element) => eventType === 'CUSTOM';

/** Every request that was recorded from GrowingIO's SDK for Python. */
export const growingioCaptured: Captured = {
  vendor: 'GrowingIO',
  dialect: 'growingio',
  requests,
  success: { status: 204, body: '' },
  all: sentElements,
  counted: sentElements.filter(isTrack),
  state: sentElements.filter((element) => !isTrack(element)),
  stateWhere: "kind != 'alias'",
  leastCopies: requests.length,
  columns: `event_id, kind, project, name, item_id, user_id, user_key, anonymous_id, platform, sdk, sdk_version,
    time_source, UNIX_MILLIS(occurred_at) AS millis, UNIX_MILLIS(sent_at) AS sent_millis,
    TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context`,
  rebuild(row) {
    const { eventType, ...context } = JSON.parse(String(row.context)) as Element;
    const attributes = JSON.parse(String(row.properties)) as Element;
    const isItem = row.kind === 'item_set';
    const element = {
      eventType,
      [isItem ? 'key' : 'eventName']: row.name,
      id: row.item_id,
      deviceId: row.anonymous_id,
      userId: row.user_id,
      userKey: row.user_key,
      timestamp: row.time_source === 'sender' ? Number(row.millis) : null,
      sendTime: row.sent_millis === null ? null : Number(row.sent_millis),
      projectKey: row.project,
      sdkVersion: row.sdk_version,
      platform: row.platform,
      ...(Object.keys(attributes).length > 0 && { attributes }),
      ...context,
    };
    return Object.fromEntries(
      Object.entries(element).filter(([, value]) => value !== null && value !== undefined),
    );
  },
};
