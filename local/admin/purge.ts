import { parentOfName } from './method.ts';
import { expiryOf, type World } from './world.ts';

/** Removes what has been in the trash for its time, and everything below it: properties, bindings, streams, links. */
export function purge(world: World, nowMs: number): void {
  const isDue = ({ deletedMs }: { readonly deletedMs: number | undefined }) =>
    deletedMs !== undefined && expiryOf(deletedMs) <= nowMs;
  for (const account of [...world.accounts.values()].filter(isDue)) {
    world.accounts.delete(account.name);
    world.bindings.delete(account.name);
  }
  for (const property of [...world.properties.values()]) {
    if (!isDue(property) && world.accounts.has(property.account)) continue;
    world.properties.delete(property.name);
    world.bindings.delete(property.name);
    for (const below of [world.dataStreams, world.firebaseLinks]) {
      for (const name of [...below.keys()]) if (parentOfName(name) === property.name) below.delete(name);
    }
  }
}
