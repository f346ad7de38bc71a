import { planObject, type WritePlan } from '../json/canonical-json.ts';
import { createKnownPlans } from '../json/known-plans.ts';
import type { JsonObject } from '../json/parse-json.ts';
import { growingioLimits } from './limits.ts';

/** How to write attributes with certain keys, and which of those keys break the vendor's rules. */
export interface AttributesPlan extends WritePlan {
  readonly badKeys: readonly string[];
}

export const findAttributesPlan = createKnownPlans(
  (keys): AttributesPlan => ({
    ...planObject(keys, () => true),
    badKeys: keys.filter((key) => key === '' || key.length > growingioLimits.attributeKey),
  }),
);

/** Plans of what becomes context, for elements of which certain members are columns. */
export interface ContextPlans {
  readonly columns: ReadonlySet<string>;
  readonly find: (element: JsonObject) => WritePlan;
}

export function createContextPlans(names: readonly string[]): ContextPlans {
  const columns = new Set(names);
  return { columns, find: createKnownPlans((keys) => planObject(keys, (key) => !columns.has(key))) };
}

/** `left`: columns that stay in context all the same; they are few, so such plans are not kept. */
export const planContext = (
  { columns, find }: ContextPlans,
  element: JsonObject,
  left: readonly string[],
): WritePlan =>
  left.length === 0
    ? find(element)
    : planObject(Object.keys(element), (key) => !columns.has(key) || left.includes(key));
