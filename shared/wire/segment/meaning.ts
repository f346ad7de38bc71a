import type { EventKind } from '../../events/event.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import { setMember } from '../json/set-member.ts';
import { mendString, type Warnings, warn } from '../json/value-rules.ts';
import type { MessageType } from './endpoint.ts';
import { segmentValueRules } from './limits.ts';
import { isGiven, isObject, type Read, readId, refuse } from './message.ts';

/** What a message of a type says, and which of its members say it. */
export interface Meaning {
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  /** Members that are columns, or in the properties of an event; what is left goes to context. */
  readonly columns: ReadonlySet<string>;
  readonly parts: readonly Part[];
}

/** One event of a message. */
export interface Part {
  readonly kind: EventKind;
  readonly name: string | undefined;
  readonly itemId: string | undefined;
  readonly properties: JsonObject;
}

type Meant = Read<Meaning>;

/**
 * A page and a screen are tracks `$page` and `$screen`; a group is an item `group` with its traits, and a track `$group`
 * of the person that belongs to it; an alias makes `previousId` the anonymous id of the user.
 */
export function meaningOf(type: MessageType, message: JsonObject, warnings: Warnings): Meant {
  if (type === 'alias') return readAlias(message, warnings);
  const anonymousId = readIdWarned('anonymousId', message, warnings);
  const userId = readIdWarned('userId', message, warnings);
  const who = { anonymousId, userId };
  const isKnown = anonymousId !== undefined || userId !== undefined;
  // The one message that says something of nobody: analytics-node lets it through.
  if (!isKnown && type !== 'group') {
    return refuse(
      'missing_ids',
      'userId',
      'userId or anonymousId should be given, a string that is not empty',
    );
  }
  if (type === 'group') return readGroup(message, who, isKnown);
  if (type === 'identify') return readIdentify(message, who);
  return type === 'track' ? readTrack(message, who, warnings) : readPage(type, message, who);
}

type Who = Pick<Meaning, 'anonymousId' | 'userId'>;

function readTrack(message: JsonObject, who: Who, warnings: Warnings): Meant {
  const { event } = message;
  if (typeof event !== 'string' || event === '') {
    return refuse('bad_event', 'event', 'event should be a string that is not empty');
  }
  const properties = readMembers('properties', message);
  if (!properties.ok) return properties;
  const name = mendString(event, segmentValueRules, warnings, 'event');
  return one('track', name, properties.value, trackColumns, who);
}

const trackColumns = columnsOf('anonymousId', 'userId', 'event', 'properties');

/** The name and category of a page join its properties, as Analytics.js puts them there itself. */
function readPage(type: 'page' | 'screen', message: JsonObject, who: Who): Meant {
  const read = readMembers('properties', message);
  if (!read.ok) return read;
  const added = pageFields.filter((key) => isGiven(message[key]) && !Object.hasOwn(read.value, key));
  const said = pageFields.filter((key) => added.includes(key) || message[key] === read.value[key]);
  const properties = added.length === 0 ? read.value : copyOf(read.value);
  for (const key of added) properties[key] = message[key] as JsonValue;
  return one('track', `$${type}`, properties, pageColumns[`${said}`] ?? columnsOf(...pageBase, ...said), who);
}

const pageFields = ['name', 'category'];
const pageBase = ['anonymousId', 'userId', 'properties'];
const pageColumns: Readonly<Record<string, ReadonlySet<string>>> = {
  '': columnsOf(...pageBase),
  name: columnsOf(...pageBase, 'name'),
  category: columnsOf(...pageBase, 'category'),
  'name,category': columnsOf(...pageBase, 'name', 'category'),
};

function readIdentify(message: JsonObject, who: Who): Meant {
  const traits = readMembers('traits', message);
  if (!traits.ok) return traits;
  // RudderStack's web and mobile libraries have them in context alone.
  const inContext = isObject(message.context) ? message.context.traits : undefined;
  const isElsewhere = Object.keys(traits.value).length === 0 && isObject(inContext);
  return one('profile_set', undefined, isElsewhere ? inContext : traits.value, identifyColumns, who);
}

const identifyColumns = columnsOf('anonymousId', 'userId', 'traits');

function readGroup(message: JsonObject, who: Who, isKnown: boolean): Meant {
  const itemId = readId(message.groupId);
  if (itemId === undefined) {
    return refuse('bad_group_id', 'groupId', 'groupId should be a string that is not empty');
  }
  const traits = readMembers('traits', message);
  if (!traits.ok) return traits;
  const item: Part = { kind: 'item_set', name: 'group', itemId, properties: traits.value };
  const belonging: JsonObject = { groupId: itemId };
  const track: Part = { kind: 'track', name: '$group', itemId: undefined, properties: belonging };
  return { ok: true, value: { ...who, columns: groupColumns, parts: isKnown ? [item, track] : [item] } };
}

const groupColumns = columnsOf('anonymousId', 'userId', 'groupId', 'traits');

/** An anonymous id of its own stays in context: what is bound is the previous id. */
function readAlias(message: JsonObject, warnings: Warnings): Meant {
  const userId = readIdWarned('userId', message, warnings);
  if (userId === undefined) {
    return refuse('missing_ids', 'userId', 'userId of an alias should be a string that is not empty');
  }
  const previousId = readId(message.previousId);
  if (previousId === undefined) {
    return refuse('bad_previous_id', 'previousId', 'previousId should be a string that is not empty');
  }
  return one('alias', undefined, {}, aliasColumns, { anonymousId: previousId, userId });
}

const aliasColumns = columnsOf('userId', 'previousId');

const one = (
  kind: EventKind,
  name: string | undefined,
  properties: JsonObject,
  columns: ReadonlySet<string>,
  who: Who,
): Meant => ({
  ok: true,
  value: {
    anonymousId: who.anonymousId,
    userId: who.userId,
    columns,
    parts: [{ kind, name, itemId: undefined, properties }],
  },
});

/** What the caller gave; none is the same as an empty object. */
function readMembers(field: 'properties' | 'traits', message: JsonObject): Read<JsonObject> {
  const value = message[field];
  if (value === undefined || value === null) return { ok: true, value: {} };
  if (isObject(value)) return { ok: true, value };
  return field === 'traits'
    ? refuse('bad_traits', field, 'traits should be a JSON object')
    : refuse('bad_properties', field, 'properties should be a JSON object');
}

function readIdWarned(
  field: 'anonymousId' | 'userId',
  message: JsonObject,
  warnings: Warnings,
): string | undefined {
  const id = readId(message[field]);
  if (id === undefined && isGiven(message[field])) warn(warnings, 'bad_id', field);
  return id;
}

function copyOf(object: JsonObject): JsonObject {
  const copy: JsonObject = {};
  for (const key of Object.keys(object)) setMember(copy, key, object[key] as JsonValue);
  return copy;
}

function columnsOf(...columns: readonly string[]): ReadonlySet<string> {
  return new Set(columns);
}
