import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ObjectStore } from './object-store.ts';

/** The right to do something, which one process has at a time and loses when it does not renew it. */
export interface Lease {
  /** Who has it: a name of its own for every lease. */
  readonly holder: string;
  /** Resolves where nobody else can have taken it; rejects with LeaseLost where somebody may have. */
  check(): Promise<void>;
  /** Gives it back, so that the next one need not wait for its end. Never rejects. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly bucket: Pick<ObjectStore, 'find' | 'read' | 'write' | 'remove'>;
  /** The object that says who has it. */
  readonly object: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long one request to the bucket may take, tries included. */
  readonly callWithinMs: number;
  /** How long it lasts after it was taken or renewed. */
  readonly lastsMs: number;
}

/** This process waited too long, and another one may be at work. */
export class LeaseLost extends Error {}

/**
 * Takes the lease where nobody has it or its time is over; undefined where somebody has it. From then on it is renewed
 * in the background, several times in its duration. Rejects where the bucket cannot be reached.
 */
export async function takeLease(options: LeaseOptions): Promise<Lease | undefined> {
  const { bucket, object: name, now, callWithinMs, lastsMs } = options;
  const holder = randomUUID().replaceAll('-', '');
  let generation = '0';
  let expiresAt = 0;

  /** Whether it was written: not where somebody else has written it since. */
  async function write(): Promise<boolean> {
    const until = now() + lastsMs;
    const data = Buffer.from(JSON.stringify({ holder, expiresAt: until }));
    const object = { name, data, contentType: 'application/json', metadata: {} };
    const outcome = await bucket.write(object, generation, callWithinMs);
    if (outcome.kind === 'written') generation = outcome.generation;
    else {
      // An earlier try of this very write may have gone through, its answer lost.
      const found = await readLease(options);
      if (found?.holder !== holder || found.expiresAt !== until) return false;
      generation = found.generation;
    }
    expiresAt = until;
    return true;
  }

  const found = await readLease(options);
  if (found !== undefined && found.expiresAt > now()) return undefined;
  generation = found?.generation ?? '0';
  if (!(await write())) return undefined;

  let isOver = false;
  let renewing: Promise<void> | undefined;
  const renew = async () => {
    try {
      if (!(await write())) expiresAt = 0;
    } catch {
      // It still has its time, and the next renewal comes before the end of it.
    } finally {
      renewing = undefined;
    }
  };
  const timer = setInterval(() => {
    if (!isOver) renewing ??= renew();
  }, lastsMs / renewals).unref();

  return {
    holder,
    async check() {
      await renewing;
      if (now() >= expiresAt) throw new LeaseLost('another tick has taken over');
    },
    async release() {
      isOver = true;
      clearInterval(timer);
      await renewing;
      // Where this fails, the lease ends with its time; where another one has it, it has another generation.
      await bucket.remove(name, generation, callWithinMs).catch(() => undefined);
    },
  };
}

/** In the duration of a lease: a few may fail. */
const renewals = 4;

async function readLease({ bucket, object: name, callWithinMs }: LeaseOptions) {
  const stored = await bucket.find(name, callWithinMs);
  const data = stored && (await bucket.read(name, stored.generation, callWithinMs));
  if (stored === undefined || data === undefined) return undefined;
  return { generation: stored.generation, ...parseLease(data.toString()) };
}

function parseLease(text: string): z.output<typeof leaseContent> {
  try {
    return leaseContent.parse(JSON.parse(text));
  } catch {
    // What is no lease is nobody's.
    return { holder: '', expiresAt: 0 };
  }
}

const leaseContent = z.object({ holder: z.string(), expiresAt: z.number() });
