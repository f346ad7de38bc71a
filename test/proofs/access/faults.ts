import type { Fault } from '../../../local/admin/index.ts';

/** What goes wrong in a trial. */
export interface Trouble {
  readonly faults: readonly Fault[];
  readonly shortPages: boolean;
  readonly partialBatches: boolean;
  /** Requests a minute and writes a minute of the fake; undefined for Google's. */
  readonly quotas: { readonly requests: number; readonly writes: number } | undefined;
  readonly throttleShape: 'RESOURCE_EXHAUSTED' | 'RATE_LIMIT_EXCEEDED';
  /** Share of requests to Cloud Storage answered 503, and of writes whose answer is lost. */
  readonly storage: { readonly unavailable: number; readonly lost: number };
  /** Share of rows of the audit that cannot be written. */
  readonly auditFails: number;
  /** At which calls that write somebody else changes a binding too. */
  readonly outsiders: readonly number[];
  /** At which points of their lives the first processes are killed. */
  readonly deaths: readonly number[];
  /** How much time of the function each call has, on the clock of the quotas. */
  readonly withinMs: number | undefined;
}

export const calm: Trouble = {
  faults: [],
  shortPages: false,
  partialBatches: true,
  quotas: undefined,
  throttleShape: 'RESOURCE_EXHAUSTED',
  storage: { unavailable: 0, lost: 0 },
  auditFails: 0,
  outsiders: [],
  deaths: [],
  withinMs: undefined,
};

type Random = () => number;
type Draw = (random: Random) => Partial<Trouble>;

const some = (random: Random, most: number): number => 1 + Math.floor(random() * most);
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const writes = [
  'BatchCreateAccessBindings',
  'BatchUpdateAccessBindings',
  'BatchDeleteAccessBindings',
] as const;

/** One fault that befalls some of the calls that write, from a random one on. */
const onWrites =
  (fault: (random: Random) => Pick<Fault, 'answers' | 'commits'>, mostTimes = 4): Draw =>
  (random) => ({
    faults: [{ kind: 'write', skip: some(random, 5) - 1, times: some(random, mostTimes), ...fault(random) }],
  });
const ambiguous = ['UNAVAILABLE', 'UNKNOWN', 'INTERNAL', 'ABORTED', 'DEADLINE_EXCEEDED'];

/** Every fault by itself, by its name. */
export const troubles: Readonly<Record<string, Draw>> = {
  none: () => ({}),
  'answer lost after the commit': onWrites(() => ({ commits: 'everything', answers: 'UNAVAILABLE' })),
  'nothing done, unavailable': onWrites(() => ({ commits: 'nothing', answers: 'UNAVAILABLE' })),
  'some other error, with or without effect': onWrites((random) => ({
    commits: pick(random, ['nothing', 'everything', 1, 2]),
    answers: pick(random, ambiguous),
  })),
  'no answer at all': onWrites(
    (random) => ({ commits: pick(random, ['nothing', 'everything', 1]), answers: 'NOTHING' }),
    2,
  ),
  'a batch half done': (random) => ({
    faults: [
      {
        methods: [pick(random, writes.slice(1))],
        skip: some(random, 3) - 1,
        times: some(random, 3),
        commits: some(random, 3),
        answers: pick(random, ambiguous),
      },
    ],
  }),
  'OK, half done': (random) => ({
    faults: [{ kind: 'write', skip: some(random, 4) - 1, commits: some(random, 2) - 1, answers: 'OK' }],
  }),
  'the effect comes later': onWrites((random) => ({ commits: 'later', answers: pick(random, ambiguous) }), 2),
  'a call that is refused': onWrites(
    (random) => ({ answers: pick(random, ['PERMISSION_DENIED', 'INVALID_ARGUMENT', 'FAILED_PRECONDITION']) }),
    1,
  ),
  'a call that never gets through': (random) => ({
    faults: [
      { kind: 'write', skip: some(random, 4) - 1, times: some(random, 14), answers: pick(random, ambiguous) },
    ],
  }),
  'a call that is refused, and a verb that never works again': (random) => ({
    faults: [
      {
        methods: [pick(random, writes)],
        skip: some(random, 3) - 1,
        times: null,
        commits: pick(random, ['nothing', 1]),
        answers: pick(random, ambiguous),
      },
      { kind: 'write', skip: some(random, 4), answers: 'PERMISSION_DENIED' },
    ],
  }),
  throttled: (random) => ({
    faults: [
      {
        kind: pick(random, ['read', 'write']),
        skip: some(random, 6) - 1,
        times: some(random, 3),
        answers: pick(random, ['RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED']),
      },
    ],
  }),
  'small quotas that others use too': (random) => ({
    quotas: { requests: 3 + some(random, 10), writes: some(random, 4) },
    throttleShape: pick(random, ['RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED']),
  }),
  'lists that fail': (random) => ({
    faults: [
      {
        kind: 'read',
        skip: some(random, 12),
        times: some(random, 8),
        answers: pick(random, [...ambiguous, 'PERMISSION_DENIED']),
      },
    ],
  }),
  'short pages': () => ({ shortPages: true }),
  'batches that are all or nothing': onWrites(() => ({ commits: 'nothing', answers: 'INTERNAL' })),
  'storage fails': () => ({ storage: { unavailable: 0.1, lost: 0.1 } }),
  'the audit fails': (random) => ({ auditFails: 0.1 + random() * 0.2 }),
  'somebody else changes access too': (random) => ({
    outsiders: Array.from({ length: some(random, 3) }, () => some(random, 8)),
  }),
  'the process is killed': (random) => ({ deaths: [some(random, 120)] }),
  'it is killed again and again': (random) => ({
    deaths: Array.from({ length: some(random, 4) }, () => some(random, 60)),
  }),
  'too little time': (random) => ({
    withinMs: 20_000 + random() * 60_000,
    quotas: { requests: 12, writes: 1 },
  }),
};

/** Several troubles at once. */
export function combine(drawn: readonly Partial<Trouble>[]): Trouble {
  const all = <T>(listOf: (one: Partial<Trouble>) => readonly T[] | undefined): T[] =>
    drawn.flatMap((one) => listOf(one) ?? []);
  return {
    ...Object.assign({ ...calm }, ...drawn),
    faults: all(({ faults }) => faults),
    outsiders: all(({ outsiders }) => outsiders),
    deaths: all(({ deaths }) => deaths),
  };
}
