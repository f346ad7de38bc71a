import type { PageRules } from './page.ts';
import type { World } from './world.ts';

/** In which ways the API is not known well enough to be sure, and may be strict or lenient. */
export interface Rules extends PageRules {
  /**
   * Roles outside the documented six in what is written: 'kept' takes them where the binding has them already,
   * 'accepted' takes any, 'refused' none. What a binding has is listed in each case.
   */
  readonly unknownRoles: 'kept' | 'accepted' | 'refused';
  /** Whether batchUpdate and batchDelete apply what comes before the entry that fails: nothing promises otherwise. */
  readonly partialBatches: boolean;
  /** Which refused users the answer to a batchCreate names. */
  readonly refusalsName: 'none' | 'first' | 'all';
}

/** What a call has at hand. */
export interface Context {
  readonly world: World;
  readonly caller: string;
  readonly nowMs: number;
  readonly rules: Rules;
  /** Asked before each entry of a batch that is no transaction: a fault may end the batch there. */
  readonly goesOn: (index: number) => boolean;
}

/** One method of AnalyticsAdminService, over requests and answers in the shape of protobufjs objects. */
export interface Method {
  /** What it costs: a write counts against four quotas, a read against two. */
  readonly kind: 'read' | 'write';
  /** The account or property it is about, for faults and for the log. */
  readonly parentOf: (request: object) => string;
  /** How many resources a batch is about. */
  readonly entriesOf: (request: object) => number;
  /** Whether it takes its entries one by one, so that some may take effect and others not. */
  readonly isEntryWise: boolean;
  readonly run: (context: Context, request: object) => object;
}

/** Types a method by its request; that a request has this shape is the doing of the wire. */
export function method<Request extends object>(definition: {
  readonly kind: Method['kind'];
  readonly parentOf?: (request: Request) => string | undefined;
  readonly entriesOf?: (request: Request) => number;
  readonly isEntryWise?: boolean;
  readonly run: (context: Context, request: Request) => object;
}): Method {
  const { kind, parentOf, entriesOf, isEntryWise = false, run } = definition;
  return {
    kind,
    parentOf: (request) => parentOf?.(request as Request) ?? '',
    entriesOf: (request) => entriesOf?.(request as Request) ?? 1,
    isEntryWise,
    run: (context, request) => run(context, request as Request),
  };
}

/** accounts/N or properties/N of a name of something below it. */
export function parentOfName(name: string | undefined): string {
  return (name ?? '').split('/').slice(0, 2).join('/');
}

/** google.protobuf.Timestamp. */
export function timestamp(ms: number): { seconds: string; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds: String(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}
