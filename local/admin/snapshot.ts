import type { World } from './world.ts';

/** Everything the API holds, in an order of its own, without the names of bindings and the times: to compare with. */
export interface State {
  readonly accounts: Readonly<Record<string, { displayName: string; regionCode: string; inTrash: boolean }>>;
  readonly properties: Readonly<
    Record<
      string,
      {
        account: string;
        parent: string;
        displayName: string;
        timeZone: string;
        currencyCode: string;
        industryCategory: string;
        inTrash: boolean;
      }
    >
  >;
  /** By account or property, then by user in lower case: the roles, sorted. Parents without any are left out. */
  readonly bindings: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly dataStreams: Readonly<Record<string, { type: string; displayName: string; defaultUri: string }>>;
  readonly firebaseLinks: Readonly<Record<string, { projectId: string; projectNumber: string }>>;
}

export function takeSnapshot(world: World): State {
  return {
    accounts: collect(world.accounts, ({ displayName, regionCode, deletedMs }) => ({
      displayName,
      regionCode,
      inTrash: deletedMs !== undefined,
    })),
    properties: collect(world.properties, (it) => ({
      account: it.account,
      parent: it.parent,
      displayName: it.displayName,
      timeZone: it.timeZone,
      currencyCode: it.currencyCode,
      industryCategory: it.industryCategory,
      inTrash: it.deletedMs !== undefined,
    })),
    bindings: Object.fromEntries(
      [...world.bindings]
        .map(([parent, bindings]) => [parent, rolesByUser(bindings.values())] as const)
        .filter(([, users]) => Object.keys(users).length > 0)
        .sort(byKey),
    ),
    dataStreams: collect(world.dataStreams, ({ type, displayName, defaultUri }) => ({
      type,
      displayName,
      defaultUri,
    })),
    firebaseLinks: collect(world.firebaseLinks, ({ projectId, projectNumber }) => ({
      projectId,
      projectNumber,
    })),
  };
}

function rolesByUser(
  bindings: Iterable<{ readonly user: string; readonly roles: readonly string[] }>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...bindings].map(({ user, roles }) => [user.toLowerCase(), [...roles].sort()] as const).sort(byKey),
  );
}

function collect<Item, Shown>(
  items: ReadonlyMap<string, Item>,
  show: (item: Item) => Shown,
): Record<string, Shown> {
  return Object.fromEntries([...items].map(([name, item]) => [name, show(item)] as const).sort(byKey));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
