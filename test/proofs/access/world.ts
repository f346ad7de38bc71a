import type { Planned } from '../../../functions/permissions/access-plan.ts';
import {
  type AdminApi as AdminApiOfOurs,
  createAdminApi,
  listOrganisation,
} from '../../../functions/permissions/admin-api.ts';
import type { AppendRows } from '../../../functions/permissions/append-rows.ts';
import { type Applied, type ApplyContext, applyAccess } from '../../../functions/permissions/apply-access.ts';
import { createLimiter } from '../../../functions/permissions/limiter.ts';
import { planAccess } from '../../../functions/permissions/plan-access.ts';
import { createPlanStore } from '../../../functions/permissions/plan-store.ts';
import { documentedQuotas, shareOf } from '../../../functions/permissions/quota-limits.ts';
import { readLive } from '../../../functions/permissions/read-live.ts';
import { readRequest } from '../../../functions/permissions/read-request.ts';
import { type AdminApi, startAdminApi } from '../../../local/admin/index.ts';
import { createBuckets } from '../../../local/buckets.ts';
import { noFaults, type StorageFaults } from '../../../local/storage/faults.ts';
import { startStorage } from '../../../local/storage/index.ts';
import { createAnalyticsAdminClient } from '../../../shared/google/analytics-admin.ts';
import { openBucket } from '../../../shared/google/cloud-storage.ts';
import type { ObjectStore } from '../../../shared/google/object-store.ts';
import { createMortal, type Mortal } from './mortal.ts';
import { caller, identity } from './organisations.ts';

/** Where trials take place, one after the other: an Admin API, a Cloud Storage, and what plans and applies in between. */
export interface World {
  readonly fake: AdminApi;
  readonly bucket: ObjectStore;
  readonly storageFaults: StorageFaults;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  /** Every lease that a dead process holds comes to its end. */
  expireLeases(): void;
  /** A process of the function, which may die. */
  startProcess(options: ProcessOptions): AccessProcess;
  close(): Promise<void>;
}

export interface ProcessOptions {
  readonly diesAt: number | undefined;
  readonly append: AppendRows;
  /** How long a call of the function may take, on the clock. */
  readonly withinMs: number | undefined;
}

export interface AccessProcess {
  readonly mortal: Mortal;
  plan(body: object): Promise<Planned>;
  apply(body: object, planHash: string, requestId: string): Promise<Applied>;
  /** Makes a call that changes nothing. */
  look(): Promise<void>;
}

const guards: ApplyContext['guards'] = {
  minimumAdministrators: 1,
  requiredAdministrators: [],
  maximumShareOfRemovals: 1,
  minimumExisting: 0,
  self: [identity, caller],
  accounts: undefined,
  strongestRole: 'admin',
};
const leaseMs = 60_000;

/** `callWithinMs`: long enough for a machine with other work; a call that is left to hang takes all of it. */
export async function startWorld(callWithinMs = 400): Promise<World> {
  process.env.METADATA_SERVER_DETECTION = 'none';
  let now = Date.UTC(2026, 0, 5, 12);
  let leaseNow = now;
  const clock = {
    now: () => now,
    async sleep(ms: number) {
      now += ms;
    },
  };
  const storageFaults = noFaults();
  const [fake, storage] = await Promise.all([
    startAdminApi({ port: 0, seed: { caller: identity }, clock: clock.now }),
    startStorage({ port: 0, file: ':memory:', faults: storageFaults }),
  ]);
  await createBuckets('local', storage.port, ['tributary-access']);
  const bucket = openBucket('tributary-access', { LOCAL_STORAGE: `127.0.0.1:${storage.port}` });
  const client = createAnalyticsAdminClient({ LOCAL_ANALYTICS_ADMIN: `127.0.0.1:${fake.port}` });
  const limits = shareOf(documentedQuotas, 0.8);

  function startProcess({ diesAt, append, withinMs }: ProcessOptions): AccessProcess {
    const mortal = createMortal(diesAt);
    const store = mortal.bucket(bucket);
    const limiter = createLimiter(limits, clock);
    const api: AdminApiOfOurs = mortal.api(createAdminApi({ client, limiter, clock, callWithinMs }));
    const until = withinMs === undefined ? Number.MAX_SAFE_INTEGER : now + withinMs;
    const context: ApplyContext = {
      api,
      guards,
      limits,
      plans: createPlanStore(store, 5_000),
      journal: { bucket: store, callWithinMs: 5_000 },
      lease: { bucket: store, now: () => leaseNow, callWithinMs: 5_000, lastsMs: leaseMs },
      append: mortal.append(append),
      until,
      now: clock.now,
    };
    const read = (body: object) => {
      const given = readRequest(body, { domains: undefined, strongestRole: 'admin' });
      if (given.kind === 'invalid') throw new Error(`not a request: ${JSON.stringify(given.problems)}`);
      return given.request;
    };
    return {
      mortal,
      async plan(body) {
        const request = read(body);
        const live = await readLive(api, request, until);
        const planned = planAccess(request, live, { guards, limits });
        if (planned.kind === 'planned') await context.plans.save(planned.plan.hash, live);
        return planned;
      },
      apply: (body, planHash, requestId) =>
        applyAccess({ requestId, planHash, caller, request: read(body) }, context),
      async look() {
        await listOrganisation(api, until);
      },
    };
  }

  return {
    fake,
    bucket,
    storageFaults,
    clock,
    expireLeases() {
      leaseNow += leaseMs + 1;
    },
    startProcess,
    async close() {
      await client.close();
      bucket.close();
      await Promise.all([fake.close(), storage.close()]);
    },
  };
}
