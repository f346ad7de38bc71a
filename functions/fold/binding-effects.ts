import { personsOf } from './plan-bindings.ts';
import type { BindingChange } from './rebind.ts';
import type { Person } from './state.ts';
import { textOf } from './touched-persons.ts';

/** What bindings that changed mean for rows of persons. Persons are told by their texts. */
export interface BindingEffects {
  /** Those whose operations are no longer the same, or may not be: what was done by a device came or went. */
  readonly refolded: ReadonlySet<string>;
  /**
   * The devices that a user gained and that belonged to nobody: where such a device is not in `persons` it has not done
   * anything yet, so that the user gained nothing else than what came in.
   */
  readonly gained: ReadonlyMap<string, readonly string[]>;
}

/** `left`: persons whose bindings changed in ticks before this one, which did not come to fold them. */
export function effectsOf(left: readonly Person[], changes: readonly BindingChange[]): BindingEffects {
  const refolded = new Set(left.map(textOf));
  const gained = new Map<string, string[]>();
  for (const change of changes) {
    const [user, device] = personsOf(change).map(textOf);
    const isFirst = change.before === undefined && change.after !== undefined;
    if (isFirst && user !== undefined && device !== undefined) {
      gained.set(user, [...(gained.get(user) ?? []), device]);
    } else for (const person of personsOf(change)) refolded.add(textOf(person));
  }
  return { refolded, gained };
}
