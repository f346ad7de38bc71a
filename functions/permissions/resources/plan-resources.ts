import { createHash } from 'node:crypto';
import type { GuardRefusal, Problem } from '../access-plan.ts';
import type { AdminApi } from '../admin-api.ts';
import type { AccountName } from '../live-state.ts';
import { type Found, lookUp, type Resource } from './look-up.ts';
import type { ResourceChange, ResourceRequest } from './resource-request.ts';

/** One change of an account, property or data stream. */
export interface ResourceStep {
  readonly index: number;
  readonly change: ResourceChange;
  readonly account: AccountName | null;
  readonly outcome: 'create' | 'update' | 'delete' | 'provision' | 'unchanged';
  readonly before: Resource | null;
  /** What it shall be; null where it goes for good. */
  readonly after: Omit<Resource, 'name'> | null;
  /** The fields that change, as Google's update masks name them. */
  readonly mask: readonly string[];
}

export type PlannedResources =
  | { readonly kind: 'planned'; readonly hash: string; readonly steps: readonly ResourceStep[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  | { readonly kind: 'guarded'; readonly refusals: readonly GuardRefusal[] };

/** Looks up what each change is about, and says what it comes to. `accounts`: those that the caller may change. */
export async function planResources(
  api: AdminApi,
  request: ResourceRequest,
  accounts: readonly AccountName[] | undefined,
  until: number,
): Promise<PlannedResources> {
  const problems: Problem[] = [];
  const steps: ResourceStep[] = [];
  for (const [index, change] of request.resources.entries()) {
    const line = `resources[${index}]`;
    const found = await lookUp(api, change, until);
    const problem = found === undefined ? 'cannot be seen by the function' : judge(change, found);
    if (problem !== undefined) problems.push({ line, reason: problem });
    else if (found !== undefined) steps.push({ index, ...planOne(change, found) });
  }
  if (problems.length > 0) return { kind: 'invalid', problems };
  const outside = steps.filter(
    ({ account }) => accounts !== undefined && (account === null || !accounts.includes(account)),
  );
  if (outside.length > 0) {
    const refusals = outside.map(({ account, change }) => ({
      guard: 'caller_policy' as const,
      parent: account ?? ('accounts/new' as const),
      users: [],
      reason: `you may not ${change.op} ${account === null ? 'anywhere' : `in ${account}`}`,
    }));
    return { kind: 'guarded', refusals };
  }
  const text = JSON.stringify(['resources', 1, steps.map(({ change, before }) => [change, before])]);
  return { kind: 'planned', hash: createHash('sha256').update(text).digest('hex'), steps };
}

function judge(change: ResourceChange, { resource }: Found): string | undefined {
  const isDeletion = change.op.startsWith('delete');
  if (resource?.deleted && !isDeletion) return `${resource.name} is in the trash`;
  if ('confirm' in change && resource !== null && change.confirm !== resource.displayName) {
    return `confirm must be ${JSON.stringify(resource.displayName)}, the name of what goes`;
  }
  if (change.op === 'updateStream' && resource === null) return `${change.stream} is not there`;
  if ((change.op === 'createProperty' || change.op === 'createStream') && resource !== null) {
    const { fields } = fieldsOf(change);
    const differing = Object.keys(fields).filter((field) => resource[field] !== fields[field]);
    if (differing.length > 0) {
      return `${resource.name} has that name already and another ${differing.join(' and ')}: update it, or take another name`;
    }
  }
  return undefined;
}

function planOne(change: ResourceChange, { account, resource }: Found): Omit<ResourceStep, 'index'> {
  const common = { change, account, before: resource };
  if (change.op.startsWith('delete')) {
    const isGone = resource === null || resource.deleted;
    const after = resource === null || 'stream' in change ? null : { ...resource, deleted: true };
    return { ...common, outcome: isGone ? 'unchanged' : 'delete', after, mask: [] };
  }
  const { fields } = fieldsOf(change);
  if (change.op === 'provisionAccount') {
    return {
      ...common,
      outcome: 'provision',
      after: { deleted: false, displayName: change.displayName, ...fields },
      mask: [],
    };
  }
  if (resource === null) {
    const displayName = String(fields.displayName ?? '');
    return { ...common, outcome: 'create', after: { deleted: false, ...fields, displayName }, mask: [] };
  }
  const changed = Object.keys(fields).filter((field) => resource[field] !== fields[field]);
  return {
    ...common,
    outcome: changed.length === 0 ? 'unchanged' : 'update',
    after: { ...resource, ...fields },
    mask: changed.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
  };
}

/** The fields of a resource that a change gives. */
export function fieldsOf(change: ResourceChange): { readonly fields: Readonly<Record<string, string>> } {
  const known = ['displayName', 'regionCode', 'timeZone', 'currencyCode', 'industryCategory', 'defaultUri'];
  const given = Object.entries(change).filter(
    ([field, value]) => known.includes(field) && value !== undefined,
  );
  return { fields: Object.fromEntries(given.map(([field, value]) => [field, String(value)])) };
}

/** Whether it is as a step wants it. */
export function isDone({ change, after }: ResourceStep, { resource }: Found): boolean {
  if (change.op === 'provisionAccount') return false;
  if (change.op.startsWith('delete')) return resource === null || resource.deleted;
  if (resource === null || after === null) return false;
  return Object.keys(fieldsOf(change).fields).every((field) => resource[field] === after[field]);
}
