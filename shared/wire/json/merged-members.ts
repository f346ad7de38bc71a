import { leadOf, writeValue } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './parse-json.ts';
import { type TextBuffer, textFrom, writeAscii, writeByte, writeBytes } from './text-buffer.ts';
import type { ValueRules, Warnings } from './value-rules.ts';

/** How to write members of two objects as one object. */
export interface MergePlan {
  readonly members: readonly MergedMember[];
}

interface MergedMember {
  readonly isOfFirst: boolean;
  readonly key: string;
  /** The key that it is written with. */
  readonly name: string;
  readonly lead: Uint8Array;
}

/** Where both objects have a key, that of the second gets a `$` before it. */
export function planMerge(first: readonly string[], second: readonly string[]): MergePlan {
  const taken = new Set<string>();
  const named = [...first, ...second].map((key, index) => {
    let name = key;
    while (taken.has(name)) name = `$${name}`;
    taken.add(name);
    return { isOfFirst: index < first.length, key, name };
  });
  // In the order of UTF-16 units, as everywhere.
  named.sort((left, right) => (left.name < right.name ? -1 : 1));
  const members = named.map((one, index) => ({ ...one, lead: leadOf(one.name, index === 0 ? '{' : ',') }));
  return { members };
}

/** The planned members of two objects as JSON with sorted keys, in UTF-8, mended as `writeMembers` does. Throws TooDeep. */
export function writeMerged(
  text: TextBuffer,
  first: JsonObject,
  second: JsonObject,
  { members }: MergePlan,
  rules: ValueRules,
  warnings: Warnings,
): Uint8Array {
  const start = text.length;
  if (members.length === 0) writeAscii(text, '{');
  for (let index = 0; index < members.length; index++) {
    const { isOfFirst, key, name, lead } = members[index] as MergedMember;
    writeBytes(text, lead);
    writeValue(
      text,
      (isOfFirst ? first[key] : second[key]) as JsonValue,
      rules,
      warnings,
      undefined,
      name,
      1,
    );
  }
  writeByte(text, closeBrace);
  return textFrom(text, start);
}

const closeBrace = 0x7d;
