import type { ProjectPolicy } from '../../../functions/fold/policies.ts';
import type { AliasRow, IdentityRules } from '../../reference/bind.ts';

export const shapes = ['random', 'chain', 'one device', 'one user'] as const;
export type Shape = (typeof shapes)[number];

/** The rows of state_log of several projects, each with the same shape of pairs and rules of its own. */
export interface History {
  readonly rows: readonly AliasRow[];
  readonly policies: readonly ProjectPolicy[];
  readonly rulesOf: (project: string) => IdentityRules;
}

/** Each policy with each order, the defaults of two dialects and of both mixed, and one with voided aliases. */
const projects: readonly { name: string; dialects: readonly string[]; rules?: IdentityRules }[] = [
  { name: 'one, occurred', dialects: ['segment'], rules: { policy: 'one_to_one', order: 'occurred_at' } },
  { name: 'one, received', dialects: ['segment'], rules: { policy: 'one_to_one', order: 'received_at' } },
  { name: 'many, occurred', dialects: ['analysys'], rules: { policy: 'devices_to_one_user' } },
  {
    name: 'many, received',
    dialects: ['analysys'],
    rules: { policy: 'devices_to_one_user', order: 'received_at' },
  },
  { name: 'default analysys', dialects: ['analysys'] },
  { name: 'default growingio', dialects: ['growingio', 'tributary'] },
  { name: 'default mixed', dialects: ['segment', 'analysys'] },
  { name: 'voided', dialects: ['analysys'], rules: { voided: [] } },
];

/** Minutes over which rows are received, from here. */
export const minutes = 40;
export const begin = Date.UTC(2026, 4, 1, 12);

/** Makes a history of about `pairs` pairs in each project, with copies, ties, and rows that claim nothing. */
export function makeHistory(shape: Shape, pairs: number, random: () => number): History {
  const whole = (below: number) => Math.floor(random() * below);
  const hexadecimal = (digits: number) =>
    Array.from({ length: digits }, () => whole(16).toString(16)).join('');
  const rules = new Map<string, IdentityRules>();
  const rows: AliasRow[] = [];

  for (const project of projects) {
    const voided: string[] = [];
    for (let index = 0; index < pairs; index++) {
      const received = begin * 1_000 + whole(minutes * 60 * 10) * 100_000;
      const row: AliasRow = {
        project: project.name,
        dialect: project.dialects[whole(project.dialects.length)]!,
        kind: 'alias',
        ...idsOf(shape, index, pairs, whole),
        debug: whole(30) === 0 ? 2 : 0,
        event_id: hexadecimal(32),
        // Few different times, so that the rest of the order decides often.
        occurred_at: begin * 1_000 - whole(Math.max(10, pairs / 4)) * 1_000_000,
        received_at: received,
        batch_id: hexadecimal(whole(4) === 0 ? 1 : 32),
        batch_index: whole(12),
      };
      rows.push(row);
      if (whole(10) === 0) rows.push({ ...row });
      if (whole(10) === 0)
        rows.push({
          ...row,
          batch_id: hexadecimal(32),
          received_at: begin * 1_000 + whole(minutes * 60) * 1_000_000,
        });
      if (whole(10) === 0)
        rows.push({
          ...row,
          event_id: hexadecimal(32),
          occurred_at: begin * 1_000 - whole(pairs) * 1_000_000,
        });
      if (whole(40) === 0)
        rows.push(claimingNothing({ ...row, event_id: hexadecimal(32), occurred_at: 0 }, whole(5)));
      if (project.name === 'voided' && whole(4) === 0) voided.push(row.event_id);
    }
    if (project.rules !== undefined) rules.set(project.name, { ...project.rules, voided });
  }
  return {
    rows,
    policies: [...rules].map(([project, { policy, order = 'occurred_at', voided = [] }]) => ({
      project,
      policy,
      order,
      voided,
    })),
    rulesOf: (project) => rules.get(project) ?? {},
  };
}

type Ids = Pick<AliasRow, 'anonymous_id' | 'user_key' | 'user_id'>;

function idsOf(shape: Shape, index: number, pairs: number, whole: (below: number) => number): Ids {
  switch (shape) {
    case 'random': {
      const user_key = [null, null, 'email', ''][whole(4)] ?? null;
      return { anonymous_id: `d${whole(pairs)}`, user_key, user_id: `u${whole(Math.ceil(pairs / 3))}` };
    }
    // d0-u0, u0-d1, d1-u1, u1-d2, ...
    case 'chain':
      return {
        anonymous_id: `d${Math.ceil(index / 2)}`,
        user_key: null,
        user_id: `u${Math.floor(index / 2)}`,
      };
    case 'one device':
      return { anonymous_id: 'd', user_key: null, user_id: `u${index}` };
    case 'one user':
      return { anonymous_id: `d${index}`, user_key: null, user_id: 'u' };
  }
}

/** Would win if it were a claim: it occurred before all others. */
function claimingNothing(row: AliasRow, way: number): AliasRow {
  switch (way) {
    case 0:
      return { ...row, debug: 1 };
    case 1:
      return { ...row, kind: 'profile_set' };
    case 2:
      return { ...row, anonymous_id: null };
    case 3:
      return { ...row, user_id: null, user_key: null };
    default:
      return { ...row, kind: 'profile_delete' };
  }
}
