import { gunzipSync, gzipSync } from 'node:zlib';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import type { LiveState, ParentName } from './live-state.ts';
import type { Roles } from './roles.ts';

/** The live state that a plan was made from, kept so that a stale plan can say what has moved. */
export interface PlanStore {
  save(hash: string, live: LiveState): Promise<void>;
  /** Undefined where the plan is not known, or no more. */
  load(hash: string): Promise<Picture | undefined>;
}

/** Roles by parent and user. */
export type Picture = Readonly<Record<string, Readonly<Record<string, Roles>>>>;

/** A binding that is not as it was when the plan was made. */
export interface Moved {
  readonly parent: string;
  readonly user: string;
  readonly was: Roles | null;
  readonly is: Roles | null;
}

export function createPlanStore(
  bucket: Pick<ObjectStore, 'find' | 'read' | 'write'>,
  callWithinMs: number,
): PlanStore {
  const nameOf = (hash: string) => `access/plans/${hash}.json.gz`;
  return {
    async save(hash, live) {
      const data = gzipSync(JSON.stringify(pictureOf(live)));
      const object = { name: nameOf(hash), data, contentType: 'application/gzip', metadata: {} };
      // Where there is one already, it is the same: the name says what it holds.
      await bucket.write(object, '0', callWithinMs);
    },
    async load(hash) {
      const found = await bucket.find(nameOf(hash), callWithinMs);
      const data = found && (await bucket.read(found.name, found.generation, callWithinMs));
      return data === undefined ? undefined : (JSON.parse(gunzipSync(data).toString()) as Picture);
    },
  };
}

/** What has moved, where it was known before; a parent that only one of the two has tells nothing. */
export function findMoved(before: Picture, live: LiveState): Moved[] {
  return Object.entries(before).flatMap(([parent, users]) => {
    const now = live.bindings.get(parent as ParentName);
    if (now === undefined) return [{ parent, user: '*', was: [], is: null }];
    const names = new Set([...Object.keys(users), ...now.keys()]);
    return [...names].sort().flatMap((user) => {
      const [was, is] = [users[user] ?? null, now.get(user)?.roles ?? null];
      return JSON.stringify(was) === JSON.stringify(is) ? [] : [{ parent, user, was, is }];
    });
  });
}

const pictureOf = (live: LiveState): Picture =>
  Object.fromEntries(
    [...live.bindings].map(([parent, bindings]) => [
      parent,
      Object.fromEntries([...bindings].map(([user, { roles }]) => [user, roles])),
    ]),
  );
