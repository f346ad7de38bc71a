import type { PlannedChange, Step } from './access-plan.ts';
import { type AdminApi, listBindings, pauseMs, writeBindings } from './admin-api.ts';
import type { BindingsOf } from './live-state.ts';
import type { LineResult, StepResult } from './outcome.ts';
import { givesSame, type Roles } from './roles.ts';

export interface DriveOptions {
  /** The bindings of the parent, where they were listed and nothing was done since. */
  readonly known: BindingsOf | undefined;
  /** What to do with a binding that is neither as it was nor as it shall be: fail, or leave it and do the others. */
  readonly moved: 'fail' | 'leave';
  /** When there is no more time: OutOfTime, in milliseconds since 1970. */
  readonly until: number;
}

/** How often a step is called, whatever Google answers. */
const mostAttempts = 6;

/**
 * Makes the call of a step, and lists until it knows what became of it. Never repeats a call blindly: after any answer,
 * good or bad, it lists, and calls again only for what is still as it was. Rejects with OutOfTime or ReadFailed.
 */
export async function driveStep(api: AdminApi, step: Step, options: DriveOptions): Promise<StepResult> {
  const { parent, verb, changes } = step;
  let live = options.known;
  let attempts = 0;
  let trouble: Trouble | undefined;
  for (;;) {
    live ??= await listBindings(api, parent, options.until);
    const seen = changes.map((change) => look(change, live));
    const open = changes.filter((_, index) => seen[index]?.state === 'refused');
    const hasMoved = seen.some(({ state }) => state === 'moved');
    if (open.length === 0 && !hasMoved) return { kind: 'done', attempts, lines: [] };
    const isOver = open.length === 0 || trouble?.isFinal || attempts >= mostAttempts;
    if (isOver || (hasMoved && options.moved === 'fail')) return report(seen, attempts, trouble);

    attempts += 1;
    const known: BindingsOf = live;
    const batch = open.map(({ user, after }) => ({ user, after, name: known.get(user)?.name }));
    const answer = await writeBindings(api, parent, verb, batch, options.until);
    live = undefined;
    if (answer.kind === 'ok') {
      trouble = { code: 'DATA_LOSS', message: 'the call was answered OK, but not all of it was done' };
      continue;
    }
    const named = answer.kind === 'refused' ? answer.named.flatMap((place) => open[place]?.user ?? []) : [];
    const { code, message } = answer;
    const inWords = open.flatMap(({ user }) => (message.toLowerCase().includes(user) ? [user] : []));
    trouble = { code, message, named: [...named, ...inWords], isFinal: answer.kind !== 'ambiguous' };
    if (answer.kind === 'ambiguous') await api.clock.sleep(pauseMs(attempts));
  }
}

interface Trouble {
  readonly code: string;
  readonly message: string;
  readonly named?: readonly string[];
  readonly isFinal?: boolean;
}

type Seen = Omit<LineResult, 'isNamed'>;

function look({ user, line, before, after }: PlannedChange, live: BindingsOf | undefined): Seen {
  const is = live?.get(user)?.roles ?? null;
  const state = isSame(is, after) ? 'done' : isSame(is, before) ? 'refused' : 'moved';
  return { user, line, state, is };
}

const isSame = (one: Roles | null, other: Roles | null): boolean =>
  one === null || other === null ? one === other : givesSame(one, other);

function report(seen: readonly Seen[], attempts: number, trouble: Trouble | undefined): StepResult {
  const moved = { code: 'ABORTED', message: 'somebody else has changed it meanwhile' };
  const { code, message, named = [] } = trouble ?? { ...moved, named: [] };
  return {
    kind: 'failed',
    attempts,
    code,
    message,
    lines: seen.flatMap((line) =>
      line.state === 'done' ? [] : [{ ...line, isNamed: named.includes(line.user) }],
    ),
  };
}

/** The step that brings back what was before. */
export function invert(step: Step): Step {
  const verb = step.verb === 'create' ? 'delete' : step.verb === 'delete' ? 'create' : 'update';
  const changes = step.changes.map((change) => ({ ...change, before: change.after, after: change.before }));
  return { ...step, verb, changes };
}
