import { type Answer, refuseWithReason } from '../answer.ts';
import type { Caller } from '../oauth/tokens.ts';
import type { World } from '../world.ts';

/** Whether a caller manages a content owner. Service accounts do not: their owner would have to add them. */
export function managesOwner(world: World, caller: Caller | null, ownerId: string): boolean {
  if (!world.seed.contentOwners.some(({ id }) => id === ownerId)) return false;
  return caller === null || caller.credential?.owners.includes(ownerId) === true;
}

/** `GET /youtube/partner/v1/contentOwners?fetchMine=true`: the owners that the caller manages. */
export function listContentOwners(world: World, caller: Caller | null, parameters: URLSearchParams): Answer {
  const ids = (parameters.get('id') ?? '').split(',').filter((id) => id !== '');
  if (parameters.get('fetchMine') !== 'true' && ids.length === 0) {
    return refuseWithReason(400, 'missingRequiredParameter', 'No filter selected.', {
      location: 'parameters.',
    });
  }
  const items = world.seed.contentOwners
    .filter(({ id }) => managesOwner(world, caller, id) && (ids.length === 0 || ids.includes(id)))
    .map(({ id, displayName }) => ({ kind: 'youtubePartner#contentOwner', id, displayName }));
  return { status: 200, body: { kind: 'youtubePartner#contentOwnerList', items } };
}
