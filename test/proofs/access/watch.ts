import type { AccessRows } from '../../../functions/permissions/append-rows.ts';
import { type Held, means, type Organisation, strengthOf } from '../../reference/access.ts';
import type { Trouble } from './faults.ts';
import { type Facts, type Key, keyOf } from './judge.ts';
import { caller, identity } from './organisations.ts';
import type { World } from './world.ts';

type Roles = readonly string[] | undefined;

/** Looks at every state that the API passes through, and is somebody else who changes access at some calls. */
export interface Watch {
  /** Takes rows of the audit, as they are stored. */
  audited(table: string, rows: readonly unknown[]): void;
  /** Bindings changed by the request, each time. */
  changes(): number;
  outside(): ReadonlyMap<Key, Roles>;
  lie(sentence: string): void;
  lies(): readonly string[];
  /** No step may take effect twice: a binding goes to what is asked for, and perhaps back. */
  judgeEffects(facts: Facts): string[];
  stop(): void;
}

export function watch(
  { fake }: World,
  options: {
    readonly organisation: Organisation;
    readonly before: Held;
    readonly trouble: Trouble;
    readonly random: () => number;
  },
): Watch {
  const { organisation, before, trouble, random } = options;
  const lies = new Set<string>();
  const outside = new Map<Key, Roles>();
  const audited = new Set<Key>();
  /** What each binding was changed to by the request, one after the other. */
  const paths = new Map<Key, Roles[]>();
  let last: Held = fake.state().bindings;
  let writes = 0;

  function look(): void {
    const now = fake.state().bindings;
    for (const { parent, user, roles } of changesBetween(last, now)) {
      const key = keyOf(parent, user);
      paths.set(key, [...(paths.get(key) ?? []), roles]);
      if (!audited.has(key)) lies.add(`${key} was changed before the audit told of it`);
    }
    last = now;
    if (outside.size > 0) return;
    for (const account of organisation.accounts) {
      if (hasAdmin(before, account) && !hasAdmin(now, account)) lies.add(`${account} had no administrator`);
    }
    for (const parent of [...organisation.accounts, ...Object.keys(organisation.accountOf)]) {
      for (const user of [caller, identity]) {
        const strength = (held: Held) =>
          strengthOf([
            ...(held[parent]?.[user] ?? []),
            ...(held[organisation.accountOf[parent] ?? '']?.[user] ?? []),
          ]);
        if (strength(now) < strength(before)) lies.add(`${user}, who changes access, lost some on ${parent}`);
      }
    }
  }

  function interfere(): void {
    const parents = [...organisation.accounts, ...Object.keys(organisation.accountOf)];
    const parent = parents[Math.floor(random() * parents.length)]!;
    const users = ['ann', 'bob', 'cid', 'dee', 'eva', 'fay', 'gus', 'hal'];
    const user = `${users[Math.floor(random() * users.length)]}@example.com`;
    const roles = ['viewer', 'analyst', 'editor'].slice(Math.floor(random() * 3)).slice(0, 1);
    const given = random() < 0.3 ? undefined : roles.map((role) => `predefinedRoles/${role}`);
    if (given === undefined) fake.edit.unbind(parent, user);
    else fake.edit.bind(parent, user, given);
    outside.set(keyOf(parent, user), given);
    last = fake.state().bindings;
  }

  const stop = fake.onCall(({ kind }) => {
    look();
    if (kind !== 'write') return;
    writes += 1;
    if (trouble.outsiders.includes(writes)) interfere();
  });

  return {
    audited(table, rows) {
      if (table !== 'access_audit') return;
      // What is written as `access_audit` has its rows.
      for (const { phase, resource, user_email } of rows as readonly AccessRows['access_audit'][]) {
        if (phase === 'intent' || phase === 'undo') audited.add(keyOf(String(resource), String(user_email)));
      }
    },
    changes: () => [...paths.values()].reduce((sum, path) => sum + path.length, 0),
    outside: () => outside,
    lie: (sentence) => lies.add(sentence),
    lies: () => [...lies],
    judgeEffects({ expected, outcome }) {
      return [...paths].flatMap(([key, path]) => {
        if (outside.has(key)) return [];
        const [parent = '', user = ''] = key.split(' ');
        const [there, back] = [expected[parent]?.[user], before[parent]?.[user]];
        const account = organisation.accountOf[parent] ?? parent;
        const kind = outcome.accounts.find((one) => one.account === account)?.kind;
        const isThere = means(path[0], there);
        const isBack = path.length === 2 && means(path[1], back) && kind !== 'committed';
        if (isThere && (path.length === 1 || isBack)) return [];
        const shown = path.map((roles) => roles?.join('+') ?? 'none').join(', then ');
        return [`${key} was changed to ${shown}, in an account that is ${kind}`];
      });
    },
    stop() {
      look();
      stop();
    },
  };
}

const hasAdmin = (held: Held, account: string): boolean =>
  Object.values(held[account] ?? {}).some((roles) => roles.includes('predefinedRoles/admin'));

function changesBetween(one: Held, other: Held): { parent: string; user: string; roles: Roles }[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((parent) => {
    const [was, is] = [one[parent] ?? {}, other[parent] ?? {}];
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((user) =>
      JSON.stringify(was[user]) === JSON.stringify(is[user]) ? [] : [{ parent, user, roles: is[user] }],
    );
  });
}
