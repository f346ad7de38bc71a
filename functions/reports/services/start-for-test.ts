import { createClock } from '../../../local/reports/clock.ts';
import type { FaultRuleInput } from '../../../local/reports/faults.ts';
import {
  type ReportsApisOptions,
  type RunningReportsApis,
  startReportsApis,
} from '../../../local/reports/index.ts';
import { type SeedInput, seedSchema } from '../../../local/reports/seed.ts';
import { parseConfiguration } from '../configuration/parse-configuration.ts';
import { services } from './index.ts';
import type {
  Availability,
  Call,
  EarlierAvailability,
  Failure,
  PulledSlice,
  Service,
  ServiceContext,
  Slice,
} from './service.ts';

/** A fake of Google with what the services call it with, on a clock that stands still but for waits. */
export interface StartedServices {
  readonly apis: RunningReportsApis;
  readonly analytics: Service;
  readonly youtube: Service;
  readonly calls: Call[];
  /** Milliseconds waited, one by one. */
  readonly waits: number[];
  readonly context: ServiceContext;
  /** Opened anew, with no memory of quotas and stops. */
  reopen(configuration?: object): { analytics: Service; youtube: Service };
  faults(...rules: FaultRuleInput[]): void;
  slice(service: Service, report: string, date: string, entityId?: string): Slice;
  /** Pulls one slice; fails where it does not come. */
  pull(service: Service, report: string, date: string, entityId?: string): Promise<PulledSlice>;
  /** Pulls one slice that fails. */
  fail(service: Service, report: string, date: string, entityId?: string): Promise<Failure>;
  /** Polls the days of one entity every hour until all have a verdict, as `poll` does. */
  pollUntilJudged(
    service: Service,
    entityId: string,
    dates: readonly string[],
    gate?: string,
  ): Promise<Availability[]>;
}

export const ownCredential = JSON.stringify({
  type: 'authorized_user',
  client_id: 'test-client',
  client_secret: 'test-secret',
  refresh_token: '1//test-refresh',
});

export async function startServices(
  seed: SeedInput,
  now: string,
  configuration: object,
  options: Partial<ReportsApisOptions> = {},
): Promise<StartedServices> {
  const clock = createClock(now);
  const apis = await startReportsApis({
    port: 0,
    anonymous: true,
    clock,
    ...options,
    seed: seedSchema.parse({
      credentials: [
        {
          clientId: 'test-client',
          clientSecret: 'test-secret',
          refreshToken: '1//test-refresh',
          email: 'owner@example.com',
          owners: (seed.contentOwners ?? []).map(({ id }) => id),
          channels: (seed.channels ?? []).map(({ id }) => id),
        },
      ],
      ...seed,
    }),
  });
  const calls: Call[] = [];
  const waits: number[] = [];
  const context: ServiceContext = {
    now: () => clock.now(),
    random: () => 0.5,
    async sleep(milliseconds) {
      waits.push(milliseconds);
      clock.advance(milliseconds);
    },
    recordCall: (call) => calls.push(call),
    signal: new AbortController().signal,
  };
  const environment = { LOCAL_GOOGLE_APIS: `127.0.0.1:${apis.port}`, YOUTUBE_OWNER: ownCredential };
  const reopen = (given: object = configuration) => {
    const parsed = parseConfiguration(JSON.stringify(given), 'the test', services);
    const [analytics, youtube] = services.map((module) => module.open(parsed, environment));
    if (analytics === undefined || youtube === undefined) throw new Error('There are two services.');
    return { analytics, youtube };
  };
  const sliceOf: StartedServices['slice'] = (service, key, date, entityId) => {
    const report = service.reports.find((it) => it.key === key);
    const entity = service.entities.find((it) => entityId === undefined || it.entityId === entityId);
    if (report === undefined || entity === undefined) throw new Error(`There is no ${key} of ${entityId}.`);
    return { entity, report, date };
  };
  const pullOne = async (...of: Parameters<StartedServices['pull']>) => {
    const [outcome] = await of[0].pull([sliceOf(...of)], context);
    if (outcome === undefined) throw new Error('The slice was not answered.');
    return outcome;
  };
  return {
    apis,
    ...reopen(),
    calls,
    waits,
    context,
    reopen,
    faults: (...rules) => apis.faults.set(rules),
    slice: sliceOf,
    async pull(...of) {
      const outcome = await pullOne(...of);
      if (outcome.kind === 'failed') throw new Error(outcome.failure.message);
      return outcome.pulled;
    },
    async fail(...of) {
      const outcome = await pullOne(...of);
      if (outcome.kind === 'pulled') throw new Error('The slice came.');
      return outcome.failure;
    },
    async pollUntilJudged(service, entityId, dates, gate = 'day') {
      const entity = service.entities.find((it) => it.entityId === entityId);
      if (entity === undefined) throw new Error(`There is no ${entityId}.`);
      const history: EarlierAvailability[] = [];
      const judged: Availability[] = [];
      const notBefore = new Map<string, number>();
      for (let polls = 0; polls < mostPolls && judged.length < dates.length; polls++) {
        const isOpen = (date: string) =>
          !judged.some((it) => it.date === date) && (notBefore.get(date) ?? 0) <= clock.now();
        const open = [{ entity, gate, dates: dates.filter(isOpen) }];
        const { availability, failures } = await service.probe(
          { probeGroup: entity.probeGroup, open, history },
          context,
        );
        const [failure] = failures;
        if (failure !== undefined) throw new Error(failure.message);
        judged.push(...availability.filter(({ verdict }) => verdict !== 'waiting'));
        history.push(...availability.map((it) => ({ ...it, probedAt: new Date(clock.now()) })));
        for (const it of availability) notBefore.set(it.date, it.notBefore?.getTime() ?? 0);
        clock.advance(3_600_000);
      }
      return judged;
    },
  };
}

const mostPolls = 24 * 30;
