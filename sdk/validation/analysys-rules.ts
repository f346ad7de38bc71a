import { nameOf } from './check-fields.ts';
import type { KeyFault, MemberRules } from './check-members.ts';

/**
 * What Analysys documents for its SDKs: names and keys of 1 to 99 letters, digits, `_` and `$`, beginning with a letter
 * or `$`; texts of 1 to 255 characters, which the Node SDK cuts beyond 8,192; lists of at most 100 texts; 100 properties.
 */
export const analysysRules: MemberRules = {
  checkKey: checkAnalysysKey,
  goodKeys: new Set(),
  stringAbove: 255,
  warnEmpty: true,
  cut: { above: 8192, to: 8191, mark: '$' },
  listAbove: 100,
  textLists: true,
  warnNested: true,
};

export const analysysLimits = {
  id: 255,
  properties: 100,
  /** The Python SDK refuses an xcontext of more than 300 members, its own five among them. */
  refusedProperties: 295,
} as const;

export const analysysName = '1 to 99 letters, digits, _ and $, beginning with a letter or $';

export const isAnalysysName = (name: string): boolean => /^[a-zA-Z$][a-zA-Z0-9_$]{0,98}$/.test(name);

function checkAnalysysKey(key: string): KeyFault | undefined {
  if (eventFields.has(key.toLowerCase())) {
    const detail = `${key} is a field of the event itself, and no key`;
    return { rule: 'reserved_key', detail, outcome: 'refused' };
  }
  if (libraryFields.has(key)) {
    const detail = `${key} is the library's own; it is left out`;
    return { rule: 'reserved_key', detail, outcome: 'left_out' };
  }
  if (isAnalysysName(key)) return undefined;
  return { rule: 'bad_key', detail: `${nameOf(key)} should be ${analysysName}`, outcome: 'sent' };
}

/** The Python SDK refuses these in any case of letters. */
const eventFields: ReadonlySet<string> = new Set(['appid', 'xwho', 'xwhat', 'xwhen', 'xcontext']);

/** All SDKs write theirs over what the caller gives. */
const libraryFields: ReadonlySet<string> = new Set([
  '$lib',
  '$lib_version',
  '$platform',
  '$debug',
  '$is_login',
  '$original_id',
]);
