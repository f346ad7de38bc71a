import type { AdminApi } from '../../../functions/permissions/admin-api.ts';
import type { AppendRows } from '../../../functions/permissions/append-rows.ts';
import type { ObjectStore } from '../../../shared/google/object-store.ts';

/** What a process that was killed is told by everything that it still asks. */
export class Killed extends Error {}

/** A process that dies at a point of its life, and from then on reaches nothing any more. */
export interface Mortal {
  bucket(store: ObjectStore): ObjectStore;
  api(api: AdminApi): AdminApi;
  append(append: AppendRows): AppendRows;
  /** Points passed so far: one before and one after each request of storage, row of the audit and call of the API. */
  points(): number;
  isDead(): boolean;
}

/** `diesAt`: the point, from 1; undefined for one that lives. */
export function createMortal(diesAt: number | undefined): Mortal {
  let points = 0;
  let isDead = false;
  const pass = () => {
    if (!isDead) points += 1;
    if (points === diesAt) isDead = true;
    if (isDead) throw new Killed(`killed at point ${diesAt}`);
  };
  const around = async <T>(act: () => Promise<T>): Promise<T> => {
    pass();
    const result = await act();
    pass();
    return result;
  };
  return {
    bucket: (store) => ({
      write: (...given) => around(() => store.write(...given)),
      list: (...given) => around(() => store.list(...given)),
      find: (...given) => around(() => store.find(...given)),
      read: (...given) => around(() => store.read(...given)),
      remove: (...given) => around(() => store.remove(...given)),
      close: () => {},
    }),
    api: (api) => ({
      ...api,
      read: (call, until) => around(() => api.read(call, until)),
      // Around the one call, so that it may die with the call made and its answer unseen.
      write: (call, until) => around(() => api.write(call, until)),
    }),
    append:
      (append) =>
      (...given) =>
        around(() => append(...given)),
    points: () => points,
    isDead: () => isDead,
  };
}
