import { tributaryLimits } from '../../shared/wire/tributary/limits.ts';
import type { MemberRules } from './check-members.ts';

/** Our own dialect takes every value that JSON can carry, under any key. */
export const tributaryRules: MemberRules = {
  checkKey: () => undefined,
  goodKeys: new Set(),
  stringAbove: Number.POSITIVE_INFINITY,
  warnEmpty: false,
  cut: undefined,
  listAbove: Number.POSITIVE_INFINITY,
  textLists: false,
  warnNested: false,
};

/** Characters of an id or name. */
export const shortLimit = tributaryLimits.short;
