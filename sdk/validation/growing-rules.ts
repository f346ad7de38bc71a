import type { MemberRules } from './check-members.ts';

/**
 * What GrowingIO documents: attributes are text, numbers or lists of these. The limits are those of its web SDK, which
 * cuts keys to 100 characters, text to 1,000 and lists to 100 elements; its servers' SDKs send all, and so do we.
 */
export const growingRules: MemberRules = {
  checkKey: (key) =>
    key !== '' && key.length <= 100
      ? undefined
      : {
          rule: 'bad_key',
          detail: `a key should have 1 to 100 characters; it has ${key.length}`,
          outcome: 'sent',
        },
  goodKeys: new Set(),
  stringAbove: 1000,
  warnEmpty: false,
  cut: undefined,
  listAbove: 100,
  textLists: false,
  warnNested: true,
};

/** Of names and ids, which the vendor bounds nowhere. */
export const growingLimits = { text: Infinity } as const;

export const isGrowingName = (name: string): boolean => /^[a-zA-Z][a-zA-Z0-9_]{0,99}$/.test(name);
