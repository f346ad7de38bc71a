import { z } from 'zod';

/** What a property has left, bucket by bucket, by the API's own names. */
export type QuotaRemaining = Readonly<Record<string, number>>;

const status = z.object({ consumed: z.number().default(0), remaining: z.number().default(0) });
const withQuota = z.object({ propertyQuota: z.record(z.string(), status.nullish()) });
const batch = z.object({ reports: z.array(z.unknown()) });

export interface QuotaReading {
  /** Tokens that the answer took, those of a batch together. */
  readonly tokens: number | null;
  readonly remaining: QuotaRemaining | null;
}

/** Reads `propertyQuota` of an answer or of each member of a batch (QuotaStatus: zeros are left out of JSON). */
export function readQuota(body: unknown): QuotaReading {
  const members = batch.safeParse(body);
  const readings = (members.success ? members.data.reports : [body]).flatMap((one) => {
    const parsed = withQuota.safeParse(one);
    return parsed.success ? [parsed.data.propertyQuota] : [];
  });
  if (readings.length === 0) return { tokens: null, remaining: null };
  const remaining: Record<string, number> = {};
  for (const reading of readings) {
    for (const [name, bucket] of Object.entries(reading)) {
      if (!bucket) continue;
      remaining[name] = Math.min(remaining[name] ?? Number.POSITIVE_INFINITY, bucket.remaining);
    }
  }
  const tokens = readings.reduce((sum, reading) => sum + (reading.tokensPerDay?.consumed ?? 0), 0);
  return { tokens, remaining };
}

/** Tokens that reports take, learned from what they took. */
export interface TokenBook {
  observe(reportHash: string, propertyId: string, tokens: number): void;
  /** The most of the last pulls of the property, else of any property's, else a guess. */
  expect(reportHash: string, propertyId: string): number;
}

export function createTokenBook(): TokenBook {
  const observed = new Map<string, number[]>();
  const note = (key: string, tokens: number) =>
    observed.set(key, [tokens, ...(observed.get(key) ?? [])].slice(0, mostObserved));
  return {
    observe(reportHash, propertyId, tokens) {
      note(`${reportHash} ${propertyId}`, tokens);
      note(reportHash, tokens);
    },
    expect(reportHash, propertyId) {
      const known = observed.get(`${reportHash} ${propertyId}`) ?? observed.get(reportHash);
      return known === undefined ? guessedTokens : Math.max(...known);
    },
  };
}

const mostObserved = 5;
/** data/v1/quotas: most requests take fewer than 10. */
const guessedTokens = 10;
