import { fitsPlan, planObject, type WritePlan } from '../json/canonical-json.ts';
import { growingioLimits } from './limits.ts';

/** How to write attributes with certain keys, and which of those keys break the vendor's rules. */
export interface AttributesPlan extends WritePlan {
  readonly badKeys: readonly string[];
}

/** Plans by a mark of their keys; `last` is nearly always the one that is looked for. */
interface KnownPlans<Plan extends WritePlan> {
  last: Plan | undefined;
  readonly byMark: Map<string, Plan>;
}

const createPlans = <Plan extends WritePlan>(): KnownPlans<Plan> => ({ last: undefined, byMark: new Map() });

const attributesPlans = createPlans<AttributesPlan>();

export function findAttributesPlan(keys: readonly string[]): AttributesPlan {
  return findPlan(attributesPlans, keys, () => ({
    ...planObject(keys, () => true),
    badKeys: keys.filter((key) => key === '' || key.length > growingioLimits.attributeKey),
  }));
}

/** Plans of what becomes context, for elements of which certain members are columns. */
export interface ContextPlans {
  readonly columns: ReadonlySet<string>;
  readonly known: KnownPlans<WritePlan>;
}

export const createContextPlans = (columns: readonly string[]): ContextPlans => ({
  columns: new Set(columns),
  known: createPlans(),
});

/** `left`: columns that stay in context all the same; they are few, so such plans are not kept. */
export function planContext(
  { columns, known }: ContextPlans,
  keys: readonly string[],
  left: readonly string[],
): WritePlan {
  const make = () => planObject(keys, (key) => !columns.has(key) || left.includes(key));
  return left.length > 0 ? make() : findPlan(known, keys, make);
}

const mostPlans = 1000;

/** A plan is taken only where its keys are the very keys, in their order; if none is known, it is made anew. */
function findPlan<Plan extends WritePlan>(
  known: KnownPlans<Plan>,
  keys: readonly string[],
  make: () => Plan,
): Plan {
  if (known.last !== undefined && fitsPlan(known.last, keys)) return known.last;
  const mark = `${keys.length}${keys[0]}${keys[keys.length >> 1]}`;
  const found = known.byMark.get(mark);
  const plan = found !== undefined && fitsPlan(found, keys) ? found : make();
  // A sender that makes its keys up would fill the memory.
  if (keys.length > growingioLimits.plannedKeys || keys.some((key) => key.length > longestKey)) return plan;
  if (known.byMark.size < mostPlans || found !== undefined) known.byMark.set(mark, plan);
  known.last = plan;
  return plan;
}

const longestKey = 255;
