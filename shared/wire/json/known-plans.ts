import type { JsonObject } from './parse-json.ts';

/** What is worked out once for all objects with the same keys. */
interface Plan {
  /** The keys in the order of the object. */
  readonly keys: readonly string[];
}

/** Makes a plan for objects with these keys, which stand in the order of the object. */
type MakePlan<Made extends Plan> = (keys: readonly string[]) => Made;

/** A sender that makes its keys up must not fill the memory: of such keys a plan is made anew each time. */
const most = { plans: 1000, keys: 200, characters: 4000 };

/**
 * Finds the plan for an object's keys, or makes it. A plan is taken only where its keys are the very keys, in their
 * order; the last one is nearly always the one that is looked for.
 */
export function createKnownPlans<Made extends Plan>(
  make: MakePlan<Made>,
  mayKeep: (plan: Made) => boolean = () => true,
): (object: JsonObject) => Made {
  let last: Made | undefined;
  const find = createPlansByMark(make, mayKeep);
  return (object) => {
    if (last !== undefined && fitsPlan(last, object)) return last;
    const plan = find(object);
    if (isSmall(plan) && mayKeep(plan)) last = plan;
    return plan;
  };
}

/** The same for objects that stand under keys, where the last one under the same key is the likely one. */
export function createPlansByKey<Made extends Plan>(
  make: MakePlan<Made>,
): (key: string, object: JsonObject) => Made {
  const byKey = new Map<string, Made>();
  const find = createPlansByMark(make, () => true);
  return (key, object) => {
    const last = byKey.get(key);
    if (last !== undefined && fitsPlan(last, object)) return last;
    const plan = find(object);
    if (last !== undefined || (byKey.size < most.plans && key.length <= most.characters / most.keys)) {
      if (isSmall(plan)) byKey.set(key, plan);
    }
    return plan;
  };
}

function createPlansByMark<Made extends Plan>(
  make: MakePlan<Made>,
  mayKeep: (plan: Made) => boolean,
): (object: JsonObject) => Made {
  const byMark = new Map<string, Made>();
  return (object) => {
    const keys = Object.keys(object);
    const mark = `${keys.length}${keys[0]}${keys[keys.length >> 1]}`;
    const found = byMark.get(mark);
    if (found !== undefined && fitsPlan(found, object)) return found;
    const plan = make(keys);
    if (!isSmall(plan) || !mayKeep(plan)) return plan;
    if (byMark.size < most.plans || found !== undefined) byMark.set(mark, plan);
    return plan;
  };
}

const isSmall = ({ keys }: Plan): boolean =>
  keys.length <= most.keys && keys.reduce((sum, key) => sum + key.length, 0) <= most.characters;

/** Whether an object has the keys of a plan, in that order. It makes no list of them, which most of the garbage would be. */
export function fitsPlan({ keys }: Plan, object: JsonObject): boolean {
  let index = 0;
  for (const key in object) if (keys[index++] !== key) return false;
  return index === keys.length;
}
