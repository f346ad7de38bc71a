import { tributaryLimits } from '../../shared/wire/tributary/limits.ts';
import type { MemberRules } from './check-members.ts';

/** Our own dialect takes every value that JSON can carry, under any key. */
export const tributaryRules: MemberRules = {
  checkKey: () => undefined,
  goodKeys: new Set(),
  stringAbove: Infinity,
  warnEmpty: false,
  cut: undefined,
  listAbove: Infinity,
  textLists: false,
  warnNested: false,
};

/** Characters of an id or name. */
export const shortLimit = tributaryLimits.short;
