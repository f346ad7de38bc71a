import { hash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readLocalEndpoint } from './endpoints.ts';
import {
  type Authorize,
  createStorageRequest,
  type StorageAnswer,
  StorageError,
  tryWithin,
} from './storage-request.ts';

export interface NewObject {
  readonly name: string;
  readonly data: Buffer;
  readonly contentType: string;
  /** Custom metadata; names and values together at most 8 KiB. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredObject {
  readonly name: string;
  /** Changes with every write of the name. */
  readonly generation: string;
  readonly bytes: number;
  readonly createdAt: Date;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectPage {
  readonly objects: readonly StoredObject[];
  readonly nextPageToken: string | undefined;
}

/**
 * The objects of one bucket. Every call settles within `withinMs`, tries again what may pass (each is safe to repeat),
 * and rejects with a StorageError for any answer that is not the expected one.
 */
export interface ObjectStore {
  /**
   * Writes an object where the name has this generation, '0' for none. `changed`: it has another, which may be that of
   * an earlier try of this very call whose answer was lost.
   */
  write(object: NewObject, ifGeneration: string, withinMs: number): Promise<WriteOutcome>;
  /** A page of at most `most` objects (1,000 at most), in the order of their names. */
  list(
    options: { readonly prefix?: string; readonly most: number; readonly pageToken?: string | undefined },
    withinMs: number,
  ): Promise<ObjectPage>;
  /** What there is under a name, without its bytes; undefined where there is nothing. */
  find(name: string, withinMs: number): Promise<StoredObject | undefined>;
  /** The bytes of one generation; undefined where it is there no more. */
  read(name: string, generation: string, withinMs: number): Promise<Buffer | undefined>;
  /** `absent`: there is none any more. `changed`: the name has another generation, which stays. */
  remove(name: string, ifGeneration: string, withinMs: number): Promise<'removed' | 'absent' | 'changed'>;
  close(): void;
}

export type WriteOutcome =
  | { readonly kind: 'written'; readonly generation: string }
  | { readonly kind: 'changed' };

/**
 * Opens a bucket through the JSON API of Cloud Storage: cloud.google.com/storage/docs/json_api/v1. `authorize` is not
 * asked where LOCAL_STORAGE names a local one.
 *
 * Not through @google-cloud/storage: its uploads cannot be given a time-out (node-fetch, which sends them, knows none),
 * so a connection that hangs would hold its request for ever, and loading it takes ingest 300 ms and 30 MB.
 */
export function openObjectStore(
  bucket: string,
  environment: NodeJS.ProcessEnv,
  authorize: Authorize,
): ObjectStore {
  const { request, close } = createStorageRequest(readLocalEndpoint('LOCAL_STORAGE', environment), authorize);
  const objects = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  const pathOf = (name: string) => `${objects}/${encodeURIComponent(name)}`;

  return {
    async write(object, ifGeneration, withinMs) {
      const query = new URLSearchParams({
        uploadType: 'multipart',
        name: object.name,
        ifGenerationMatch: ifGeneration,
      });
      const { contentType, body, md5 } = encodeUpload(object);
      const answer = await tryWithin(withinMs, (ms) =>
        request({ method: 'POST', path: `/upload${objects}?${query}`, contentType, body }, ms),
      );
      if (answer.status === 412) return { kind: 'changed' };
      const stored = readResource(answer, objectResource);
      if (stored.size !== object.data.length || (stored.md5Hash ?? md5) !== md5) {
        throw new StorageError(answer.status, `stored ${stored.size} bytes instead of ${object.data.length}`);
      }
      return { kind: 'written', generation: stored.generation };
    },

    async list({ prefix, most, pageToken }, withinMs) {
      const query = new URLSearchParams({ maxResults: String(most) });
      if (prefix !== undefined) query.set('prefix', prefix);
      if (pageToken !== undefined) query.set('pageToken', pageToken);
      const answer = await tryWithin(withinMs, (ms) =>
        request({ method: 'GET', path: `${objects}?${query}` }, ms),
      );
      const { items, nextPageToken } = readResource(answer, listResource);
      return { objects: items.map(toStoredObject), nextPageToken };
    },

    async find(name, withinMs) {
      const answer = await tryWithin(withinMs, (ms) => request({ method: 'GET', path: pathOf(name) }, ms));
      return answer.status === 404 ? undefined : toStoredObject(readResource(answer, objectResource));
    },

    async read(name, generation, withinMs) {
      const query = new URLSearchParams({ alt: 'media', generation });
      const answer = await tryWithin(withinMs, (ms) =>
        request({ method: 'GET', path: `${pathOf(name)}?${query}` }, ms),
      );
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw unexpected(answer);
      return answer.body;
    },

    async remove(name, ifGeneration, withinMs) {
      const query = new URLSearchParams({ ifGenerationMatch: ifGeneration });
      const answer = await tryWithin(withinMs, (ms) =>
        request({ method: 'DELETE', path: `${pathOf(name)}?${query}` }, ms),
      );
      if (answer.status === 204 || answer.status === 200) return 'removed';
      if (answer.status === 404) return 'absent';
      if (answer.status === 412) return 'changed';
      throw unexpected(answer);
    },

    close,
  };
}

const objectResource = z.object({
  name: z.string(),
  generation: z.string(),
  size: z.string().transform(Number),
  timeCreated: z.string().transform((text) => new Date(text)),
  md5Hash: z.string().optional(),
  metadata: z.record(z.string(), z.string()).default({}),
});

const listResource = z.object({
  items: z.array(objectResource).default([]),
  nextPageToken: z.string().optional(),
});

const toStoredObject = ({
  name,
  generation,
  size,
  timeCreated,
  metadata,
}: z.output<typeof objectResource>): StoredObject => ({
  name,
  generation,
  bytes: size,
  createdAt: timeCreated,
  metadata,
});

function readResource<Shape extends z.ZodType>(answer: StorageAnswer, shape: Shape): z.output<Shape> {
  if (answer.status !== 200) throw unexpected(answer);
  const parsed = shape.safeParse(JSON.parse(answer.body.toString()));
  if (!parsed.success) throw new StorageError(answer.status, 'the answer is not what the documentation says');
  return parsed.data;
}

/** Names what Cloud Storage said, which is never what a sender sent. */
function unexpected({ status, body }: StorageAnswer): StorageError {
  return new StorageError(status, body.toString().replaceAll(/\s+/g, ' ').slice(0, 200));
}

/** cloud.google.com/storage/docs/uploading-objects: one request of two parts. Cloud Storage checks the MD5 before it stores. */
function encodeUpload({ name, data, contentType, metadata }: NewObject) {
  const md5 = hash('md5', data, 'base64');
  const description = JSON.stringify({ name, contentType, metadata, md5Hash: md5 });
  const boundary = `part-${randomUUID()}`;
  const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${description}\r\n--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`;
  return {
    md5,
    contentType: `multipart/related; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(head), data, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
