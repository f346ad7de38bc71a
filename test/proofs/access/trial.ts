import type { Plan, Planned } from '../../../functions/permissions/access-plan.ts';
import { NotStored } from '../../../functions/permissions/append-rows.ts';
import type { Applied } from '../../../functions/permissions/apply-access.ts';
import { googleQuotas } from '../../../local/admin/index.ts';
import { expectAccess, type Held } from '../../reference/access.ts';
import type { Trouble } from './faults.ts';
import { type Facts, judgeOutcome } from './judge.ts';
import type { Case } from './organisations.ts';
import { watch } from './watch.ts';
import type { AccessProcess, World } from './world.ts';

export interface TrialResult {
  /** How it ended: the kind of the outcome, or why there was none. */
  readonly ended: string;
  /** What is not as it must be. */
  readonly lies: readonly string[];
  readonly faultsStruck: number;
  readonly changes: number;
  readonly processes: number;
  /** Points that the first process passed. */
  readonly points: number;
  readonly held: Held;
}

type Random = () => number;

/** How many processes try before the trouble is over, and how many more may then. */
const mostProcesses = 12;
const troubled = 7;

let trials = 0;

/** Plans a request, applies it in trouble, goes on with it until it has ended, and judges what is told of it. */
export async function runTrial(
  world: World,
  { seed, organisation, before, body }: Case,
  trouble: Trouble,
  random: Random,
): Promise<TrialResult> {
  const { fake, storageFaults } = world;
  trials += 1;
  const requestId = `trial-${process.pid}-${trials}`;
  fake.reset(seed, Math.floor(random() * 2 ** 31));
  Object.assign(storageFaults, { unavailableRate: 0, storedThenLostRate: 0, random });
  world.expireLeases();
  await world.clock.sleep(120_000);
  const nothing = { faultsStruck: 0, changes: 0, processes: 0, points: 0, held: before };

  const planned: Planned = await world
    .startProcess({ diesAt: undefined, append: async () => {}, withinMs: undefined })
    .plan(body);
  if (planned.kind !== 'planned') {
    const touched = fake.calls().some(({ kind }) => kind === 'write');
    return {
      ...nothing,
      ended: planned.kind,
      lies: touched ? ['a request that is refused was called for'] : [],
    };
  }
  const { plan } = planned;
  const expected = expectAccess(before, organisation, body);

  const watched = watch(world, { organisation, before, trouble, random });
  fake.setBehavior({
    shortPages: trouble.shortPages,
    partialBatches: trouble.partialBatches,
    throttleShape: trouble.throttleShape,
    ...(trouble.quotas && {
      quotas: {
        ...googleQuotas,
        projectRequestsPerMinute: trouble.quotas.requests,
        projectWritesPerMinute: trouble.quotas.writes,
      },
    }),
  });
  fake.setFaults(trouble.faults);
  Object.assign(storageFaults, {
    unavailableRate: trouble.storage.unavailable,
    storedThenLostRate: trouble.storage.lost,
  });
  const { applied, processes, struck, points } = await goOn(world, {
    body,
    plan,
    trouble,
    requestId,
    random,
    watched,
  });
  await untilNothingIsLeft(world);
  watched.stop();

  const actual = fake.state().bindings;
  const lies = [...watched.lies()];
  if (applied?.kind === 'finished') {
    const facts: Facts = {
      ...{ organisation, before, expected, actual, plan, outcome: applied.outcome },
      outside: watched.outside(),
    };
    lies.push(...judgeOutcome(facts), ...watched.judgeEffects(facts));
  } else if (applied?.kind === 'stale' && trouble.outsiders.length > 0) {
    if (watched.changes() > 0) lies.push('a stale plan was begun');
  } else lies.push(`it did not end: ${JSON.stringify(applied)?.slice(0, 300)}`);
  return {
    ended: applied?.kind === 'finished' ? applied.outcome.kind : (applied?.kind ?? 'no end'),
    lies,
    faultsStruck: struck,
    changes: watched.changes(),
    processes,
    points,
    held: actual,
  };
}

interface Going {
  readonly body: object;
  readonly plan: Plan;
  readonly trouble: Trouble;
  readonly requestId: string;
  readonly random: Random;
  readonly watched: ReturnType<typeof watch>;
}

/** The same call again and again, by one process after the other, until it has an end. */
async function goOn(world: World, { body, plan, trouble, requestId, random, watched }: Going) {
  let applied: Applied | undefined;
  let struck = 0;
  let points = 0;
  for (let number = 0; number < mostProcesses; number++) {
    const isTroubled = number < troubled;
    if (number === troubled) {
      struck = countStruck(world);
      world.fake.setFaults([]);
      world.fake.setBehavior({ quotas: googleQuotas });
      Object.assign(world.storageFaults, { unavailableRate: 0, storedThenLostRate: 0 });
    }
    const process: AccessProcess = world.startProcess({
      diesAt: trouble.deaths[number],
      withinMs: isTroubled ? trouble.withinMs : undefined,
      async append(table, rows) {
        if (isTroubled && random() < trouble.auditFails) throw new NotStored('the audit cannot be written');
        watched.audited(table, rows);
      },
    });
    applied = await process.apply(body, plan.hash, requestId).catch((error: unknown) => {
      if (!isExpected(error)) watched.lie(`it failed: ${error instanceof Error ? error.stack : error}`);
      return undefined;
    });
    if (number === 0) points = process.mortal.points();
    const isOver = applied !== undefined && applied.kind !== 'unfinished' && applied.kind !== 'busy';
    if (isOver) return { applied, processes: number + 1, struck: struck || countStruck(world), points };
    world.expireLeases();
    await world.clock.sleep(60_000);
  }
  return { applied, processes: mostProcesses, struck, points };
}

const countStruck = ({ fake }: World): number => fake.faultCounts().reduce((sum, count) => sum + count, 0);

/** What a process may fail with: its own end, that of its time, or a service. */
const failures = new Set([
  'Killed',
  'NotStored',
  'ReadFailed',
  'StorageError',
  'LeaseLost',
  'JournalTaken',
  'OutOfTime',
]);
const isExpected = (error: unknown): boolean =>
  error instanceof Error && (failures.has(error.name) || failures.has(error.constructor.name));

/** What a fault has put off takes effect with the next call, which nobody but this makes. */
async function untilNothingIsLeft({ fake, startProcess }: World): Promise<void> {
  fake.setFaults([]);
  fake.setBehavior({ quotas: googleQuotas, shortPages: false });
  await startProcess({ diesAt: undefined, append: async () => {}, withinMs: undefined }).look();
}
