import { fitsPlan, type WritePlan } from './canonical-json.ts';

/** A sender that makes its keys up must not fill the memory: of such keys a plan is made anew each time. */
const most = { plans: 1000, keys: 200, characters: 4000 };

/**
 * Finds the plan for an object's keys, or makes it. A plan is taken only where its keys are the very keys, in their
 * order; the last one is nearly always the one that is looked for.
 */
export function createKnownPlans<Plan extends Pick<WritePlan, 'keys'>>(
  make: (keys: readonly string[]) => Plan,
): (keys: readonly string[]) => Plan {
  let last: Plan | undefined;
  const byMark = new Map<string, Plan>();
  return (keys) => {
    if (last !== undefined && fitsPlan(last, keys)) return last;
    const mark = `${keys.length}${keys[0]}${keys[keys.length >> 1]}`;
    const found = byMark.get(mark);
    if (found !== undefined && fitsPlan(found, keys)) {
      last = found;
      return found;
    }
    const plan = make(keys);
    if (keys.length > most.keys || keys.reduce((sum, key) => sum + key.length, 0) > most.characters)
      return plan;
    if (byMark.size < most.plans || found !== undefined) byMark.set(mark, plan);
    last = plan;
    return plan;
  };
}
