import type { JsonObject, JsonValue } from './parse-json.ts';

/** Sets it as an own member whatever its name: to assign to `__proto__` would set another prototype. */
export function setMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
