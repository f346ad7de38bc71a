import type { ObjectStore, StoredObject } from '../../shared/google/cloud-storage.ts';
import type { SendMessages } from '../../shared/google/pubsub-publisher.ts';
import { describeError, type log as writeLog } from '../../shared/host/log.ts';
import { readSpilledObject } from '../../shared/spill/spilled-message.ts';

export interface DrainOptions {
  readonly bucket: ObjectStore;
  readonly send: SendMessages;
  readonly log: typeof writeLog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long one request may take, tries included. */
  readonly callWithinMs: number;
}

/** What became of the objects of the bucket. */
export interface Drained {
  /** Published and deleted. */
  readonly drained: number;
  /** Not looked at: the time was over, or Pub/Sub or Cloud Storage was down. */
  readonly left: number;
  /** Still there, for the next drain. */
  readonly failed: number;
  /** Not ours, and left alone. */
  readonly foreign: number;
}

/** Objects that are listed and sorted at once; more wait for the next drain. */
const mostHeld = 10_000;
const underWay = { objects: 16, bytes: 48_000_000 };
/** A message has at most 10 MB: cloud.google.com/pubsub/quotas. */
const largestMessage = 10_000_000;
const invalidArgument = 3;

/**
 * Publishes what ingest has spilled, the oldest first, and deletes each object once Pub/Sub has acknowledged it.
 *
 * It may be cut off anywhere and run beside itself: an object that was published and not deleted is published again, and
 * event ids absorb the copy. At the first sign that Pub/Sub or Cloud Storage is down it begins nothing more. Settles
 * soon after `deadline`, in milliseconds since 1970; rejects where the bucket cannot be listed.
 */
export async function drainSpill(options: DrainOptions, deadline: number): Promise<Drained> {
  const { bucket, send, log, now, callWithinMs: withinMs } = options;
  const { ours, foreign, more } = await listSpilled(bucket, withinMs);
  if (foreign.length > 0) {
    log('WARNING', 'The spill bucket holds objects that are not of Tributary; they are left alone.', {
      objects: foreign.length,
    });
  }
  let drained = 0;
  let failed = 0;
  let gone = 0;
  let isDown = false;

  const drain = async (object: StoredObject): Promise<void> => {
    try {
      const data = await bucket.read(object.name, object.generation, withinMs);
      const message = data && readSpilledObject({ ...object, data });
      if (message === undefined) {
        // Another drain was here first.
        gone++;
        return;
      }
      await send([message], withinMs);
      await bucket.remove(object.name, object.generation, withinMs);
      drained++;
    } catch (error) {
      failed++;
      // Pub/Sub refused this very message; that says nothing of the others.
      const isOwnFault = error instanceof Error && 'code' in error && error.code === invalidArgument;
      if (!isOwnFault) isDown = true;
      log('ERROR', 'A spilled batch could not be drained; the next drain tries again.', {
        batch_id: object.metadata.batch_id,
        ...describeError(error),
      });
    }
  };

  // The first alone: where Pub/Sub is still down, it is asked once.
  const [first, ...others] = ours;
  if (first !== undefined && now() < deadline) await drain(first);
  else if (first !== undefined) others.unshift(first);
  const next = takeTurns(others, () => isDown || now() >= deadline);
  await Promise.all(Array.from({ length: underWay.objects }, () => work(next, drain)));
  return { drained, failed, foreign: foreign.length, left: ours.length - drained - failed - gone + more };
}

interface Turn {
  readonly object: StoredObject;
  done(): void;
}

/** Hands out objects one by one, while those under way together stay small enough for the memory. */
function takeTurns(objects: readonly StoredObject[], isOver: () => boolean): () => Promise<Turn | undefined> {
  const waiting: (() => void)[] = [];
  let place = 0;
  let bytes = 0;
  return async () => {
    for (;;) {
      const object = objects[place];
      if (object === undefined || isOver()) return undefined;
      if (bytes > 0 && bytes + object.bytes > underWay.bytes) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        continue;
      }
      place++;
      bytes += object.bytes;
      return {
        object,
        done() {
          bytes -= object.bytes;
          for (const resolve of waiting.splice(0)) resolve();
        },
      };
    }
  };
}

async function work(
  next: () => Promise<Turn | undefined>,
  drain: (object: StoredObject) => Promise<void>,
): Promise<void> {
  for (let turn = await next(); turn !== undefined; turn = await next()) {
    await drain(turn.object);
    turn.done();
  }
}

/** All objects, the oldest first. Names are no times, so the whole bucket must be listed. */
async function listSpilled(bucket: ObjectStore, withinMs: number) {
  let ours: StoredObject[] = [];
  const foreign: StoredObject[] = [];
  let more = 0;
  let pageToken: string | undefined;
  do {
    const page = await bucket.list({ most: 1_000, pageToken }, withinMs);
    for (const object of page.objects) {
      const isOurs =
        object.bytes <= largestMessage && readSpilledObject({ ...object, data: nothing }) !== undefined;
      if (isOurs) ours.push(object);
      else foreign.push(object);
    }
    if (ours.length > 2 * mostHeld) {
      more += ours.length - mostHeld;
      ours = oldestFirst(ours).slice(0, mostHeld);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return { ours: oldestFirst(ours), foreign, more };
}

const nothing = Buffer.alloc(0);

const oldestFirst = (objects: readonly StoredObject[]): StoredObject[] =>
  objects.toSorted((left, right) => left.createdAt.getTime() - right.createdAt.getTime());
