import type { SeedInput } from './seed.ts';
import { hash, hashText } from './truth/hash.ts';

export interface YearOptions {
  seed: number;
  /** The year in which something happens to some of them. Default 2025. */
  year?: number;
  /** Default 40. */
  properties?: number;
  /** Default 20. */
  channels?: number;
}

type Property = NonNullable<SeedInput['properties']>[number];
type Channel = NonNullable<SeedInput['channels']>[number];

/** What sets each property apart; the list is gone through again when there are more properties. */
const KINDS: readonly ((year: number) => Partial<Property> & { kind: string; timeZone: string })[] = [
  () => ({ kind: 'busy', timeZone: 'Europe/London', viewsPerHour: 700 }),
  () => ({ kind: 'quiet-1', timeZone: 'Europe/Berlin', viewsPerHour: 1, shape: 'flat' }),
  () => ({ kind: 'busy', timeZone: 'America/New_York', viewsPerHour: 450 }),
  () => ({ kind: 'quiet-2', timeZone: 'America/Los_Angeles', viewsPerHour: 2, shape: 'flat' }),
  () => ({ kind: 'half-hour', timeZone: 'Asia/Kolkata', viewsPerHour: 90 }),
  () => ({ kind: 'quiet-3', timeZone: 'Europe/London', viewsPerHour: 3, shape: 'flat' }),
  () => ({ kind: 'half-hour-dst', timeZone: 'Australia/Adelaide', viewsPerHour: 60 }),
  () => ({ kind: 'quiet-4', timeZone: 'Asia/Tokyo', viewsPerHour: 4 }),
  (year) => ({
    kind: 'outage',
    timeZone: 'Europe/Paris',
    viewsPerHour: 120,
    processingOutages: [
      { from: `${year}-03-10T06:00:00Z`, to: `${year}-03-11T14:00:00Z` },
      { from: `${year}-09-02T00:00:00Z`, to: `${year}-09-02T20:00:00Z` },
    ],
  }),
  () => ({ kind: 'quiet-5', timeZone: 'America/Chicago', viewsPerHour: 5, shape: 'flat' }),
  (year) => ({
    kind: 'zone-change',
    timeZone: 'Europe/London',
    viewsPerHour: 80,
    zoneChanges: [{ at: `${year}-05-14T10:00:00Z`, timeZone: 'America/New_York' }],
  }),
  () => ({ kind: 'quiet-6', timeZone: 'Europe/Madrid', viewsPerHour: 6 }),
  (year) => ({ kind: 'deleted', timeZone: 'UTC', viewsPerHour: 40, deletedAt: `${year}-07-20T09:00:00Z` }),
  () => ({ kind: 'quiet-8', timeZone: 'Pacific/Auckland', viewsPerHour: 8, shape: 'flat' }),
  (year) => ({
    kind: 'new',
    timeZone: 'America/Sao_Paulo',
    viewsPerHour: 50,
    createdAt: `${year}-04-03T12:00:00Z`,
  }),
  (year) => ({
    kind: 'zero-days',
    timeZone: 'Europe/Rome',
    viewsPerHour: 25,
    zeroDays: [`${year}-01-26`, `${year}-08-15`, `${year}-08-16`, `${year}-12-25`],
  }),
  (year) => ({
    kind: 'silent-hours',
    timeZone: 'America/St_Johns',
    viewsPerHour: 70,
    silences: [
      { from: `${year}-02-11T03:00:00Z`, to: `${year}-02-11T09:00:00Z` },
      { from: `${year}-06-18T22:00:00Z`, to: `${year}-06-20T01:00:00Z` },
    ],
  }),
  () => ({
    kind: 'slow',
    timeZone: 'Asia/Kathmandu',
    viewsPerHour: 60,
    lag: { medianHours: 14, spread: 0.3 },
  }),
  () => ({
    kind: '360',
    timeZone: 'America/New_York',
    viewsPerHour: 500,
    is360: true,
    lag: { medianHours: 1 },
  }),
  () => ({ kind: 'thresholded', timeZone: 'Europe/Vienna', viewsPerHour: 90, thresholdUsers: 10 }),
  () => ({ kind: 'sampled', timeZone: 'UTC', viewsPerHour: 300, sampledOverEvents: 15_000 }),
  () => ({ kind: 'other-row', timeZone: 'Europe/Warsaw', viewsPerHour: 200, otherOverRows: 150 }),
  () => ({
    kind: 'restricted',
    timeZone: 'Europe/London',
    viewsPerHour: 60,
    restrictedMetrics: [{ metric: 'purchaseRevenue', type: 'REVENUE_DATA' as const }],
  }),
  () => ({
    kind: 'harsh',
    timeZone: 'Europe/Athens',
    viewsPerHour: 80,
    lag: {
      medianHours: 11,
      spread: 0.5,
      jitterHours: 6,
      stragglerRate: 0.01,
      stragglerHours: 10,
      splitRate: 0.003,
      metricHours: 3,
    },
  }),
  () => ({
    kind: 'restless',
    timeZone: 'America/Denver',
    viewsPerHour: 90,
    restatements: { lateRate: 0.02, movedRate: 0.02, removedRate: 0.01, afterDay28Rate: 0.2 },
  }),
  () => ({ kind: 'crowded', timeZone: 'Europe/Lisbon', viewsPerHour: 70, tokenShare: 0.004 }),
  () => ({ kind: 'floats', timeZone: 'Australia/Lord_Howe', viewsPerHour: 60, floatIntegers: true }),
];

/** A year of sites and channels for proofs: what goes wrong with each is in its title or host. */
export function makeYearSeed(options: YearOptions): SeedInput {
  const { seed, year = 2025, properties = 40, channels = 20 } = options;
  const draw = (name: string) => hash(seed, hashText(name)) / 4294967296;
  return {
    seed,
    serviceAccounts: ['reports@local.iam.gserviceaccount.com'],
    properties: Array.from({ length: properties }, (_, index): Property => {
      const of = KINDS[index % KINDS.length]?.(year);
      if (of === undefined) throw new Error('There is a kind for every place.');
      const { kind, viewsPerHour = 10, ...rest } = of;
      return {
        id: String(400_000_001 + index),
        host: `${kind}-${index + 1}.example.com`,
        // From the second round on each is a little other.
        viewsPerHour:
          index < KINDS.length ? viewsPerHour : viewsPerHour * (0.7 + draw(`views ${index}`) * 0.5),
        ...rest,
      };
    }),
    contentOwners: [
      { id: 'NetworkOne', displayName: 'Network One', medianLagHours: 30 },
      {
        id: 'NetworkTwo',
        displayName: 'Network Two',
        medianLagHours: 44,
        spread: 0.25,
        processingOutages: [{ from: `${year}-10-07T00:00:00Z`, to: `${year}-10-09T06:00:00Z` }],
      },
    ],
    channels: Array.from({ length: channels }, (_, index): Channel => {
      const id = `UCyear${String(index + 1).padStart(18, '0')}`;
      const quiet = index % 4 === 3;
      return {
        id,
        title: `${quiet ? 'Quiet' : 'Busy'} ${index + 1}`,
        owner: index % 2 === 0 ? 'NetworkOne' : 'NetworkTwo',
        viewsPerDay: quiet ? 3 + (index % 5) : Math.round(300 + draw(id) * 9000),
        videos: quiet ? 6 : 90,
        monetized: index % 3 === 0,
        hiddenSubscribers: index % 7 === 6,
        anonymizedBelowViews: index % 5 === 4 ? 3 : 0,
        ...(index % 10 === 8 ? { zeroDays: [`${year}-02-14`, `${year}-11-30`] } : {}),
        ...(index % 10 === 9 ? { unlinkedAt: `${year}-09-15T00:00:00Z` } : {}),
        ...(index % 10 === 5 ? { createdAt: `${year}-05-05T00:00:00Z` } : {}),
      };
    }),
    credentials: [
      {
        clientId: 'local-client.apps.googleusercontent.com',
        clientSecret: 'local-secret',
        refreshToken: '1//local-refresh',
        email: 'owner@example.com',
        owners: ['NetworkOne'],
      },
      {
        clientId: 'local-client.apps.googleusercontent.com',
        clientSecret: 'local-secret',
        refreshToken: '1//local-refresh-two',
        email: 'second@example.com',
        owners: ['NetworkTwo'],
        revokedAt: `${year}-06-10T12:00:00Z`,
        grantedAgainAt: `${year}-06-12T18:00:00Z`,
      },
    ],
  };
}
