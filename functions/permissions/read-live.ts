import type { AccessRequest } from './access-request.ts';
import { type AdminApi, listBindings, listOrganisation } from './admin-api.ts';
import type { BindingsOf, LiveState, Organisation, ParentName } from './live-state.ts';
import { resolvePlaces } from './resolve-places.ts';

/** Reads what a plan of the request needs: the whole organisation, and the bindings of the parents it is about. */
export async function readLive(api: AdminApi, request: AccessRequest, until: number): Promise<LiveState> {
  const organisation = await listOrganisation(api, until);
  const { parents } = resolvePlaces(request, organisation);
  return { ...organisation, bindings: await listAll(api, parents, until) };
}

/** The bindings of many parents, some at a time. */
export async function listAll(
  api: AdminApi,
  parents: readonly ParentName[],
  until: number,
): Promise<Map<ParentName, BindingsOf>> {
  const listed = await mapSome(parents, readsAtOnce, (parent) => listBindings(api, parent, until));
  return new Map(parents.map((parent, index) => [parent, listed[index] ?? new Map()]));
}

/** Every parent of an organisation. */
export const parentsOf = ({ accounts, properties }: Organisation): ParentName[] => [
  ...accounts.keys(),
  ...properties.keys(),
];

/** Maps with at most `atOnce` under way; at the first failure nothing more is begun, and it rejects once all have ended. */
export async function mapSome<In, Out>(
  items: readonly In[],
  atOnce: number,
  act: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = [];
  let next = 0;
  let failed: { error: unknown } | undefined;
  const work = async () => {
    while (next < items.length && failed === undefined) {
      const index = next;
      next += 1;
      try {
        results[index] = await act(items[index] as In);
      } catch (error) {
        failed ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  if (failed !== undefined) throw failed.error;
  return results;
}

/** Reads have no order, and 600 a minute are allowed. */
const readsAtOnce = 8;
