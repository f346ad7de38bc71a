import type { AnalyticsAdminClient } from '../../shared/google/analytics-admin.ts';
import type { PlannedChange, Verb } from './access-plan.ts';
import { judgeAnswer, type WriteAnswer } from './judge-answer.ts';
import { type Clock, type Limiter, untilRefill } from './limiter.ts';
import {
  type AccountName,
  type BindingsOf,
  bindingsBy,
  type Organisation,
  type ParentName,
  type PropertyName,
  type PropertyPlace,
} from './live-state.ts';
import { bindingsPerPage, summariesPerPage } from './plan-access.ts';
import { toApi } from './roles.ts';

/** The Admin API said no to a read, or did not answer it however often it was asked. */
export class ReadFailed extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`Google Analytics answered ${code}: ${message}`);
    this.name = 'ReadFailed';
    this.code = code;
  }
}

/** Google's Admin API with its quotas. `until`: when the caller has no more time (OutOfTime), in milliseconds since 1970. */
export interface AdminApi {
  /** Repeats what may pass; rejects with ReadFailed or OutOfTime. */
  read<T>(
    call: (client: AnalyticsAdminClient, options: CallOptions) => Promise<T>,
    until: number,
  ): Promise<T>;
  /** Makes one call, exactly once. Rejects with OutOfTime alone, and then has not made it. */
  write(
    call: (client: AnalyticsAdminClient, options: CallOptions) => Promise<unknown>,
    until: number,
  ): Promise<WriteAnswer>;
  readonly clock: Clock;
  readonly counts: { reads: number; writes: number };
}

export interface CallOptions {
  readonly retry: null;
  readonly timeout: number;
  readonly autoPaginate: false;
}

export interface AdminApiOptions {
  readonly client: AnalyticsAdminClient;
  readonly limiter: Limiter;
  readonly clock: Clock;
  /** How long one call may take. */
  readonly callWithinMs: number;
}

export function createAdminApi({ client, limiter, clock, callWithinMs }: AdminApiOptions): AdminApi {
  // Repeating is this code's: the client repeats a batchCreate blindly.
  const options: CallOptions = { retry: null, timeout: callWithinMs, autoPaginate: false };
  const counts = { reads: 0, writes: 0 };
  const throttled = () => limiter.pause(untilRefill(clock.now()));

  return {
    clock,
    counts,
    async read(call, until) {
      for (let failures = 0, refills = 0; ; ) {
        await limiter.take('read', until);
        counts.reads += 1;
        try {
          return await call(client, options);
        } catch (error) {
          const { kind, code, message } = judgeAnswer(error);
          if (kind === 'throttled' && refills < mostRefills) {
            refills += 1;
            throttled();
            continue;
          }
          failures += 1;
          if (kind !== 'ambiguous' || passing.get(code) === false || failures >= mostTries) {
            throw new ReadFailed(code, message);
          }
          await clock.sleep(pauseMs(failures));
        }
      }
    },
    async write(call, until) {
      for (let refills = 0; ; refills += 1) {
        await limiter.take('write', until);
        counts.writes += 1;
        const answer = await call(client, options).then((): WriteAnswer => ({ kind: 'ok' }), judgeAnswer);
        if (answer.kind !== 'throttled') return answer;
        throttled();
        if (refills >= mostRefills) return answer;
      }
    },
  };
}

/** Tries of a read that fails, and minutes that a call waits for quota. */
const mostTries = 5;
const mostRefills = 10;
/** What a read is not asked again for. */
const passing = new Map([
  ['NOT_FOUND', false],
  ['ALREADY_EXISTS', false],
]);

export const pauseMs = (failures: number): number =>
  Math.min(500 * 2 ** (failures - 1), 8_000) * (0.5 + Math.random() / 2);

/** The accounts and properties that the credentials can see: one call for every 200 accounts. */
export async function listOrganisation(api: AdminApi, until: number): Promise<Organisation> {
  const accounts = new Map<AccountName, string>();
  const properties = new Map<PropertyName, PropertyPlace>();
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const [summaries, , answer] = await client.listAccountSummaries(
        { pageSize: summariesPerPage, pageToken },
        options,
      );
      return { items: summaries, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    for (const { account, displayName, propertySummaries } of page) {
      const name = account as AccountName;
      accounts.set(name, displayName ?? '');
      for (const { property, displayName: title } of propertySummaries ?? []) {
        properties.set(property as PropertyName, { account: name, displayName: title ?? '' });
      }
    }
  }
  return { accounts, properties };
}

/** The bindings of one parent. Its order may change from page to page: what comes twice means that something is missing. */
export async function listBindings(api: AdminApi, parent: ParentName, until: number): Promise<BindingsOf> {
  for (let tries = 1; ; tries += 1) {
    const listed: { name: string; user: string; roles: string[] }[] = [];
    let pages = 0;
    for await (const page of pagesOf((pageToken) =>
      api.read(async (client, options) => {
        const [bindings, , answer] = await client.listAccessBindings(
          { parent, pageSize: bindingsPerPage, pageToken },
          options,
        );
        return { items: bindings, nextPageToken: answer?.nextPageToken };
      }, until),
    )) {
      pages += 1;
      for (const { name, user, roles } of page) {
        // Bindings of anything but users are none of ours.
        if (name && user) listed.push({ name, user, roles: roles ?? [] });
      }
    }
    const bindings = bindingsBy(listed);
    if (bindings.size === listed.length || pages === 1) return bindings;
    if (tries >= mostTries)
      throw new ReadFailed('ABORTED', `the bindings of ${parent} change while they are listed`);
  }
}

/** One call for all changes of one verb on one parent, each with the name of its binding where it has one. */
export function writeBindings(
  api: AdminApi,
  parent: ParentName,
  verb: Verb,
  changes: readonly (Pick<PlannedChange, 'user' | 'after'> & { readonly name: string | undefined })[],
  until: number,
): Promise<WriteAnswer> {
  return api.write((client, options) => {
    switch (verb) {
      case 'create': {
        const requests = changes.map(({ user, after }) => ({
          parent,
          accessBinding: { user, roles: toApi(after ?? []) },
        }));
        return client.batchCreateAccessBindings({ parent, requests }, options);
      }
      case 'update': {
        const requests = changes.map(({ name, user, after }) => ({
          accessBinding: { name: name ?? null, user, roles: toApi(after ?? []) },
        }));
        return client.batchUpdateAccessBindings({ parent, requests }, options);
      }
      case 'delete': {
        const requests = changes.map(({ name }) => ({ name: name ?? null }));
        return client.batchDeleteAccessBindings({ parent, requests }, options);
      }
    }
  }, until);
}

export async function* pagesOf<Item>(
  fetch: (pageToken: string) => Promise<{ items: Item[]; nextPageToken: string | null | undefined }>,
): AsyncGenerator<Item[]> {
  let pageToken = '';
  do {
    const { items, nextPageToken } = await fetch(pageToken);
    yield items;
    pageToken = nextPageToken ?? '';
  } while (pageToken !== '');
}
