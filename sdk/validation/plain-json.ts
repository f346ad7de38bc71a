/**
 * Whether JSON.stringify writes the value as it is, losing nothing: the quick look that nearly every value passes. False
 * says only that `writeJson` has to look closely.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      // Cycles end here too.
      if (depth === deepest) return false;
      return Array.isArray(value)
        ? isPlainList(value, depth)
        : isPlainObject(value) && hasPlainMembers(value, depth);
    default:
      return false;
  }
}

const deepest = 4;

function isPlainList(list: readonly unknown[], depth: number): boolean {
  for (let at = 0; at < list.length; at++) if (!isPlainJson(list[at], depth + 1)) return false;
  return true;
}

function hasPlainMembers(object: object, depth: number): boolean {
  for (const key in object) {
    const value = (object as Readonly<Record<string, unknown>>)[key];
    if (value !== undefined && !isPlainJson(value, depth + 1)) return false;
  }
  return true;
}

/** An object literal, or one without a prototype: no class, and no say in how it is written. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    typeof Reflect.get(value, 'toJSON') !== 'function'
  );
}
