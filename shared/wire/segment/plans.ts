import { fitsPlan, planObject, type WritePlan } from '../json/canonical-json.ts';

/** Plans by a mark of their keys; `last` is nearly always the one that is looked for. */
export interface KnownPlans {
  last: WritePlan | undefined;
  readonly byMark: Map<string, WritePlan>;
}

export const createPlans = (): KnownPlans => ({ last: undefined, byMark: new Map() });

const mostPlans = 1000;
/** Keys and their characters: a plan for more of them is made for its one event and forgotten. */
const mostKeys = 200;
const mostCharacters = 4000;

/** How to write an object with these keys; a plan is taken only where its keys are the very keys, in their order. */
export function findPlan(known: KnownPlans, keys: string[]): WritePlan {
  if (known.last !== undefined && fitsPlan(known.last, keys)) return known.last;
  const mark = `${keys.length}${keys[0]}${keys[keys.length >> 1]}`;
  const found = known.byMark.get(mark);
  if (found !== undefined && fitsPlan(found, keys)) {
    known.last = found;
    return found;
  }
  const plan = planObject(keys, () => false);
  if (keys.length > mostKeys || keys.reduce((sum, key) => sum + key.length, 0) > mostCharacters) return plan;
  if (known.byMark.size < mostPlans || found !== undefined) known.byMark.set(mark, plan);
  known.last = plan;
  return plan;
}
