import { checkEvent, type Event, noKeys, type Refusal } from '../../events/event.ts';
import type { DecodedItem } from '../dialect.ts';
import { TooDeep } from '../json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { type Warnings, warn } from '../json/value-rules.ts';
import { isMessageType, type MessageType } from './endpoint.ts';
import { meaningOf, type Part } from './meaning.ts';
import {
  isGiven,
  isObject,
  type MessageFacts,
  type Read,
  readId,
  readOccurredAt,
  readSentAt,
  readText,
  refuse,
} from './message.ts';
import {
  type Consumed,
  keysOfProperties,
  warnAboutSize,
  writeContext,
  writeProperties,
} from './write-context.ts';
import { keyOf } from './write-key.ts';

/**
 * One message as events: one, or of a group two, what is known of it and who belongs to it. `pathType` is the type of the
 * path, which decides where there is one.
 */
export function decodeMessage(
  message: JsonValue,
  pathType: MessageType | undefined,
  facts: MessageFacts,
): DecodedItem[] {
  const read = readMessage(message, pathType, facts);
  const refusal = read.ok ? firstRefusal(read.value) : read.refusal;
  if (read.ok && refusal === undefined) return read.value.map((event) => ({ kind: 'event', event }));
  if (refusal === undefined) throw new TypeError('a message is events or refused');
  return [{ kind: 'refused', refusal, project: facts.project }];
}

function firstRefusal(events: readonly Event[]): Refusal | undefined {
  for (const event of events) {
    const refusal = checkEvent(event);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function readMessage(
  message: JsonValue,
  pathType: MessageType | undefined,
  facts: MessageFacts,
): Read<Event[]> {
  if (!isObject(message)) return refuse('not_an_object', undefined, 'a message should be a JSON object');
  // A message of a batch may name the key where the batch does not.
  const project = facts.project ?? keyOf(message.writeKey);
  if (project === undefined) {
    return refuse(
      'missing_write_key',
      'writeKey',
      'no write key is given: neither as user name of a basic authentication, nor as writeKey of body or query',
    );
  }
  const type = pathType ?? message.type;
  if (!isMessageType(type)) {
    return refuse('unknown_type', 'type', 'type should be track, identify, page, screen, group or alias');
  }
  try {
    return toEvents(message, type, project, facts);
  } catch (error) {
    if (error instanceof TooDeep) return refuse('too_deep', undefined, error.message);
    throw error;
  }
}

function toEvents(
  message: JsonObject,
  type: MessageType,
  project: string,
  facts: MessageFacts,
): Read<Event[]> {
  const { text } = facts;
  const warnings: Warnings = { list: undefined };
  const meant = meaningOf(type, message, warnings);
  if (!meant.ok) return meant;
  const time = readOccurredAt(message, facts, warnings);
  if (!time.ok) return time;

  const { anonymousId, userId, columns, parts } = meant.value;
  const { occurredAt, timeSource, field: timeField } = time.value;
  const context = isObject(message.context) ? message.context : undefined;
  const library = isObject(context?.library) ? context.library : undefined;
  const os = isObject(context?.os) ? context.os : undefined;
  const sentAt = readSentAt(message.sentAt, warnings);
  const platform = readText(os?.name, warnings, 'os.name') ?? readText(message.channel, warnings, 'channel');
  const sdk = readText(library?.name, warnings, 'library.name');
  const sdkVersion = readText(library?.version, warnings, 'library.version');
  const consumed: Consumed = {
    columns,
    timeField,
    anonymousId: isColumnId('anonymousId', message, columns),
    userId: isColumnId('userId', message, columns),
    writeKey: message.writeKey === project,
  };
  const contextText = writeContext(text, message, consumed, warnings);
  const messageId = readMessageId(message.messageId, warnings);
  // Of RudderStack's libraries, a number.
  const sessionId = readId(context?.sessionId);
  const written: Uint8Array[] = [];
  for (const { properties } of parts) written.push(writeProperties(text, properties, warnings));
  for (const properties of written) warnAboutSize(properties, contextText, warnings);
  const events: Event[] = [];
  for (let index = 0; index < parts.length; index++) {
    const { kind, name, itemId, properties } = parts[index] as Part;
    events.push({
      project,
      dialect: 'segment',
      kind,
      name,
      itemId,
      anonymousId,
      userId,
      userKey: undefined,
      occurredAt,
      timeSource,
      sentAt,
      platform,
      sdk,
      sdkVersion,
      sessionId,
      debug: 0,
      properties: written[index] as Uint8Array,
      context: contextText,
      keys: kind === 'track' ? noKeys : keysOfProperties(properties),
      warnings: warnings.list ?? noWarnings,
      messageId,
    });
  }
  return { ok: true, value: events };
}

/** Where they are no ids they are kept as they are. */
const isColumnId = (
  field: 'anonymousId' | 'userId',
  message: JsonObject,
  columns: ReadonlySet<string>,
): boolean => !isGiven(message[field]) || (columns.has(field) && readId(message[field]) !== undefined);

const noWarnings: readonly string[] = [];

function readMessageId(value: JsonValue | undefined, warnings: Warnings): string | undefined {
  const id = readId(value);
  if (id === undefined && isGiven(value)) warn(warnings, 'bad_message_id', 'messageId');
  return id;
}
