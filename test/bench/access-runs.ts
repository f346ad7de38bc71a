import { v1alpha } from '@google-analytics/admin';
import { credentials } from '@grpc/grpc-js';
import { googleQuotas, type LoggedCall, type Seed } from '../../local/admin/index.ts';
import { identity } from '../proofs/access/organisations.ts';
import { startWorld, type World } from '../proofs/access/world.ts';

export interface AccessCase {
  readonly users: number;
  readonly accounts: number;
  readonly properties: number;
}

export interface Run {
  /** Without the verifications. */
  readonly calls: number;
  readonly writes: number;
  /** Lists of what a call has just changed. */
  readonly verifications: number;
  /** That the quotas made it wait. */
  readonly minutes: number;
}

export interface AccessRuns {
  readonly plan: Run;
  readonly apply: Run;
  readonly again: Run;
  readonly throttled: number;
  /** That the properties have in the end. */
  readonly bindings: number;
  readonly seconds: number;
}

/** Plans, applies, and applies again, on an Admin API that refuses what is over Google's quotas in any minute. */
export async function measureAccess(size: AccessCase): Promise<AccessRuns> {
  const world = await startWorld(60_000);
  const began = performance.now();
  try {
    world.fake.reset(seedOf(size));
    world.fake.setBehavior({ quotas: { ...googleQuotas, window: 'sliding' } });
    const body = {
      changes: [
        {
          op: 'grant',
          user: Array.from({ length: size.users }, (_, index) => `user-${index}@example.com`),
          roles: 'viewer',
          on: Array.from({ length: size.accounts }, (_, index) => `accounts/${index + 1}/properties/*`),
        },
      ],
    };
    let throttled = 0;
    const measure = async <T>(act: () => Promise<T>): Promise<{ run: Run; result: T }> => {
      // A minute without calls, so that each run has all of the quotas.
      await world.clock.sleep(120_000);
      world.fake.clearCalls();
      const from = world.clock.now();
      const result = await act();
      const calls = world.fake.calls();
      throttled += calls.filter(({ answer }) => answer !== 'OK').length;
      return { run: countRun(calls, (world.clock.now() - from) / 60_000), result };
    };
    const start = () =>
      world.startProcess({ diesAt: undefined, append: async () => {}, withinMs: undefined });

    const { run: plan, result: planned } = await measure(() => start().plan(body));
    if (planned.kind !== 'planned') throw new Error(JSON.stringify(planned).slice(0, 500));
    const { run: apply, result: applied } = await measure(() =>
      start().apply(body, planned.plan.hash, 'bench-1'),
    );
    if (applied.kind !== 'finished' || applied.outcome.kind !== 'committed') {
      throw new Error(JSON.stringify(applied).slice(0, 500));
    }
    const next = await start().plan(body);
    if (next.kind !== 'planned') throw new Error(JSON.stringify(next).slice(0, 500));
    const { run: again } = await measure(() => start().apply(body, next.plan.hash, 'bench-2'));
    return {
      ...{ plan, apply, again, throttled },
      bindings: countBindings(world),
      seconds: (performance.now() - began) / 1_000,
    };
  } finally {
    await world.close();
  }
}

/** Lists each property and makes one call for each user on it. */
export async function measureOneByOne(size: AccessCase): Promise<{ reads: number; writes: number }> {
  const { fake, close } = await startWorld();
  const client = new v1alpha.AnalyticsAdminServiceClient({
    apiEndpoint: '127.0.0.1',
    port: fake.port,
    sslCreds: credentials.createInsecure(),
  });
  try {
    // One page of up to 50 accounts: the formula counts pages of 200.
    fake.reset(seedOf(size));
    const [summaries] = await client.listAccountSummaries({});
    for (const { propertySummaries } of summaries) {
      for (const { property } of propertySummaries ?? []) {
        const parent = property ?? '';
        const [held] = await client.listAccessBindings({ parent });
        for (let index = 0; index < size.users; index++) {
          const user = `user-${index}@example.com`;
          if (held.some((binding) => binding.user === user)) continue;
          const accessBinding = { user, roles: ['predefinedRoles/viewer'] };
          await client.createAccessBinding({ parent, accessBinding }, { retry: null });
        }
      }
    }
    const count = (kind: LoggedCall['kind']) => fake.calls().filter((call) => call.kind === kind).length;
    return { reads: count('read'), writes: count('write') };
  } finally {
    await client.close();
    await close();
  }
}

function countRun(calls: readonly LoggedCall[], minutes: number): Run {
  const written = new Set<string>();
  let verifications = 0;
  for (const { kind, parent } of calls) {
    if (kind === 'write') written.add(parent);
    else if (written.has(parent)) verifications += 1;
  }
  return {
    calls: calls.length - verifications,
    writes: calls.filter(({ kind }) => kind === 'write').length,
    verifications,
    minutes: Math.round(minutes * 10) / 10,
  };
}

function countBindings({ fake }: World): number {
  return Object.entries(fake.state().bindings)
    .filter(([parent]) => parent.startsWith('properties/'))
    .reduce((sum, [, users]) => sum + Object.keys(users).length, 0);
}

function seedOf({ accounts, properties }: AccessCase): Seed {
  const perAccount = Math.ceil(properties / accounts);
  return {
    caller: identity,
    accounts: Array.from({ length: accounts }, (_, account) => ({
      id: String(account + 1),
      displayName: `Account ${account + 1}`,
      bindings: [{ user: identity, roles: ['predefinedRoles/admin'] }],
      properties: Array.from(
        { length: Math.min(perAccount, properties - account * perAccount) },
        (_, property) => ({
          id: String(100_000 + account * perAccount + property),
          displayName: `Property ${property + 1}`,
        }),
      ),
    })),
  };
}
