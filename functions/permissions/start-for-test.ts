import { type AdminApi as LocalAdminApi, type Seed, startAdminApi } from '../../local/admin/index.ts';
import { type Stores, startStores as startLocalStores } from '../../local/stores-for-test.ts';
import { createAnalyticsAdminClient } from '../../shared/google/analytics-admin.ts';
import type { Planned } from './access-plan.ts';
import { createAdminApi } from './admin-api.ts';
import { createAppender } from './append-rows.ts';
import { type Applied, type ApplyContext, applyAccess } from './apply-access.ts';
import { type Clock, createLimiter } from './limiter.ts';
import { caller, guards, identity, requestOf } from './organisations-for-test.ts';
import { planAccess } from './plan-access.ts';
import { createPlanStore } from './plan-store.ts';
import { documentedQuotas, type QuotaLimits, shareOf } from './quota-limits.ts';
import { readLive } from './read-live.ts';

/** Roles by user, by parent. */
export type Bindings = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Who may not be bound, as without a Google account. */
export const stranger = 'stranger@example.com';

/** Accounts as `liveOf` names them: the property 12 is in the account 1. The function administers every account. */
export function seedOf(bindings: Bindings): Seed {
  const parents = Object.keys(bindings);
  const held = (parent: string) =>
    Object.entries(bindings[parent] ?? {}).map(([user, roles]) => ({
      user,
      roles: roles.map((role) => (role.startsWith('predefinedRoles/') ? role : `predefinedRoles/${role}`)),
    }));
  const numbers = new Set(parents.map((parent) => parent.split('/')[1]?.[0] ?? '1'));
  return {
    caller: identity,
    users: { refused: [stranger] },
    accounts: [...numbers].map((id) => ({
      id,
      displayName: `Account ${id}`,
      bindings: [{ user: identity, roles: ['predefinedRoles/admin'] }, ...held(`accounts/${id}`)],
      properties: parents
        .filter((parent) => parent.startsWith(`properties/${id}`))
        .map((parent) => {
          const number = parent.split('/')[1] ?? '';
          return { id: number, displayName: `Property ${number}`, bindings: held(parent) };
        }),
    })),
  };
}

/** A clock that nobody waits for: who sleeps moves it. */
export function createTestClock(start = Date.UTC(2026, 0, 5, 12)): Clock & { skip(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    async sleep(ms) {
      now += ms;
    },
    skip(ms) {
      now += ms;
    },
  };
}

export type { Stores };

/** Starts what keeps plans, journals and the audit, for requests in this very process. */
export const startStores = (): Promise<Stores> =>
  startLocalStores({
    bucket: 'tributary-access',
    limits: { firstRetryDelayMs: 5, longestRetryDelayMs: 50, lingerMs: 1 },
  });

export interface WorldOptions {
  readonly clock?: ReturnType<typeof createTestClock>;
  readonly limits?: QuotaLimits;
  readonly behavior?: Parameters<LocalAdminApi['setBehavior']>[0];
  readonly callWithinMs?: number;
}

/** Starts a local Admin API over the seed, and what plans and applies requests on it. */
export async function startWorld(stores: Stores, seed: Seed, options: WorldOptions = {}) {
  const clock = options.clock ?? createTestClock();
  const fake = await startAdminApi({
    port: 0,
    seed,
    clock: clock.now,
    ...(options.behavior && { behavior: options.behavior }),
  });
  const client = createAnalyticsAdminClient({ LOCAL_ANALYTICS_ADMIN: `127.0.0.1:${fake.port}` });
  const limits = options.limits ?? shareOf(documentedQuotas, 0.8);
  const { callWithinMs = 400 } = options;
  const api = createAdminApi({ client, limiter: createLimiter(limits, clock), clock, callWithinMs });
  const forever = Number.MAX_SAFE_INTEGER;
  const context: ApplyContext = {
    api,
    guards,
    limits,
    plans: createPlanStore(stores.bucket, 5_000),
    journal: { bucket: stores.bucket, callWithinMs: 5_000 },
    lease: { bucket: stores.bucket, now: Date.now, callWithinMs: 5_000, lastsMs: 60_000 },
    append: createAppender(stores.writer, 10_000),
    until: forever,
    now: Date.now,
  };
  let requests = 0;
  const nextId = () => {
    requests += 1;
    return `request-${fake.port}-${requests}`;
  };
  const plan = async (body: object, guarded = guards): Promise<Planned> => {
    const request = requestOf(body);
    const live = await readLive(api, request, forever);
    const planned = planAccess(request, live, { guards: guarded, limits });
    if (planned.kind === 'planned') await context.plans.save(planned.plan.hash, live);
    return planned;
  };
  const applyPlan = (
    body: object,
    planHash: string,
    given: Partial<ApplyContext> = {},
    requestId = nextId(),
  ): Promise<Applied> =>
    applyAccess({ requestId, planHash, caller, request: requestOf(body) }, { ...context, ...given });

  return {
    fake,
    client,
    clock,
    context,
    nextId,
    plan,
    applyPlan,
    bindings: () => fake.state().bindings,
    /** Plans and applies at once. */
    async apply(body: object, given: Partial<ApplyContext> = {}, requestId = nextId()): Promise<Applied> {
      const planned = await plan(body);
      if (planned.kind !== 'planned') return planned;
      return applyPlan(body, planned.plan.hash, given, requestId);
    },
    async close(): Promise<void> {
      await client.close();
      await fake.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof startWorld>>;
