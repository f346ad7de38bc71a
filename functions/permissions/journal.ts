import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ObjectStore } from '../../shared/google/object-store.ts';
import type { Atomicity, Step } from './access-plan.ts';
import type { Outcome, StepResult } from './outcome.ts';

/** What a request is, from its first call to its last. */
export interface Head {
  readonly requestId: string;
  /** Of all that was asked for, so that one id is one request. */
  readonly requestHash: string;
  readonly planHash: string;
  readonly caller: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly atomicity: Atomicity;
  /** With every binding as it was before: the pre-image. */
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
}

export type StepKind = 'step' | 'undo';

/**
 * The journal of one request in Cloud Storage: an object for each thing that was begun or is done, each written once,
 * before or after what it tells of. So a process that dies is followed by one that knows what may have been done.
 */
export interface Journal {
  readonly head: Head;
  /** Whether it was begun, by this process or one before it. */
  isBegun(kind: StepKind, index: number): boolean;
  resultOf(kind: StepKind, index: number): StepResult | undefined;
  /** Tells what is about to be called, with what was there before. */
  begin(kind: StepKind, step: Step): Promise<void>;
  end(kind: StepKind, index: number, result: StepResult): Promise<void>;
  /** Whether what was done is to be undone: of an account, or of all. */
  isGivenUp(what: string): boolean;
  giveUp(what: string): Promise<void>;
  readonly outcome: Outcome | undefined;
  finish(outcome: Outcome): Promise<void>;
}

/** Another process writes to the same journal: that one goes on, this one stops. */
export class JournalTaken extends Error {}

export interface JournalOptions {
  readonly bucket: Pick<ObjectStore, 'find' | 'read' | 'write' | 'list' | 'remove'>;
  readonly callWithinMs: number;
}

const folderOf = (requestId: string) => `access/requests/${requestId}/`;
/** An object for each request that was begun and has not ended, so that those are found without looking at all. */
const openFolder = 'access/open/';
const nameOf = (kind: StepKind, index: number, what: 'begun' | 'done') =>
  `${kind}-${String(index).padStart(6, '0')}-${what}.json`;

/** Begins the journal of a request. Rejects with JournalTaken where there is one. */
export async function createJournal(head: Head, options: JournalOptions): Promise<Journal> {
  const journal = createJournalWriter(folderOf(head.requestId), options);
  await journal.write('head.json.gz', gzipSync(JSON.stringify(head)), 'application/gzip');
  const open = {
    name: `${openFolder}${head.requestId}`,
    data: Buffer.from(head.createdAt),
    contentType: 'text/plain',
    metadata: {},
  };
  await options.bucket.write(open, '0', options.callWithinMs);
  return createState(head, new Map(), undefined, journal, options);
}

/** Reads the journal of a request; undefined where it has none. */
export async function openJournal(requestId: string, options: JournalOptions): Promise<Journal | undefined> {
  const { bucket, callWithinMs } = options;
  const read = async (name: string): Promise<Buffer | undefined> => {
    const found = await bucket.find(`${folderOf(requestId)}${name}`, callWithinMs);
    return found && (await bucket.read(found.name, found.generation, callWithinMs));
  };
  const packed = await read('head.json.gz');
  if (packed === undefined) return undefined;
  const head = JSON.parse(gunzipSync(packed).toString()) as Head;
  const outcome = await read('outcome.json');
  const records = outcome === undefined ? await readRecords(requestId, options) : new Map<string, unknown>();
  const finished = outcome === undefined ? undefined : (JSON.parse(outcome.toString()) as Outcome);
  const writer = createJournalWriter(folderOf(requestId), options);
  return createState(head, records, finished, writer, options);
}

async function readRecords(requestId: string, { bucket, callWithinMs }: JournalOptions) {
  const records = new Map<string, unknown>();
  const prefix = folderOf(requestId);
  let pageToken: string | undefined;
  do {
    const page = await bucket.list({ prefix, most: 1_000, pageToken }, callWithinMs);
    pageToken = page.nextPageToken;
    for (const { name, generation } of page.objects) {
      const short = name.slice(prefix.length);
      if (!short.endsWith('-done.json')) records.set(short, null);
      else {
        const data = await bucket.read(name, generation, callWithinMs);
        if (data !== undefined) records.set(short, JSON.parse(data.toString()));
      }
    }
  } while (pageToken !== undefined);
  return records;
}

/** The ids of requests that were begun and have not ended. */
export async function listOpen({ bucket, callWithinMs }: JournalOptions): Promise<string[]> {
  const ids: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await bucket.list({ prefix: openFolder, most: 1_000, pageToken }, callWithinMs);
    pageToken = page.nextPageToken;
    ids.push(...page.objects.map(({ name }) => name.slice(openFolder.length)));
  } while (pageToken !== undefined);
  return ids;
}

/** Forgets that a request is open. */
export async function closeRequest(
  requestId: string,
  { bucket, callWithinMs }: JournalOptions,
): Promise<void> {
  const found = await bucket.find(`${openFolder}${requestId}`, callWithinMs);
  if (found !== undefined) await bucket.remove(found.name, found.generation, callWithinMs);
}

/** How many calls of a request are done and undone, by the names of its objects alone. */
export async function readProgress(
  requestId: string,
  options: JournalOptions,
): Promise<{ readonly done: number; readonly undone: number; readonly ended: boolean }> {
  const names: string[] = [];
  let pageToken: string | undefined;
  do {
    const prefix = folderOf(requestId);
    const page = await options.bucket.list({ prefix, most: 1_000, pageToken }, options.callWithinMs);
    pageToken = page.nextPageToken;
    names.push(...page.objects.map(({ name }) => name.slice(prefix.length)));
  } while (pageToken !== undefined);
  const count = (kind: StepKind) =>
    names.filter((name) => name.startsWith(`${kind}-`) && name.endsWith('-done.json')).length;
  return { done: count('step'), undone: count('undo'), ended: names.includes('outcome.json') };
}

export interface JournalWriter {
  /** Rejects with JournalTaken where another process has written that object. */
  write(name: string, data: Buffer, contentType?: string): Promise<void>;
}

/** Writes objects of a folder, each once. */
export function createJournalWriter(within: string, { bucket, callWithinMs }: JournalOptions): JournalWriter {
  // Tells an object of this process, whose answer was lost, from one of another process.
  const run = randomUUID();
  return {
    async write(short, data, contentType = 'application/json') {
      const name = `${within}${short}`;
      const outcome = await bucket.write({ name, data, contentType, metadata: { run } }, '0', callWithinMs);
      if (outcome.kind === 'written') return;
      const found = await bucket.find(name, callWithinMs);
      if (found?.metadata.run !== run) throw new JournalTaken(`${name} was written by another process`);
    },
  };
}

function createState(
  head: Head,
  records: Map<string, unknown>,
  finished: Outcome | undefined,
  writer: JournalWriter,
  options: JournalOptions,
): Journal {
  let outcome = finished;
  const put = async (name: string, content: object) => {
    await writer.write(name, Buffer.from(JSON.stringify(content)));
    records.set(name, content);
  };
  const givenUp = (what: string) => `given-up-${what.replace('/', '-')}.json`;
  return {
    head,
    isBegun: (kind, index) => records.has(nameOf(kind, index, 'begun')),
    // Written by `end`, below.
    resultOf: (kind, index) => records.get(nameOf(kind, index, 'done')) as StepResult | undefined,
    begin: (kind, step) => put(nameOf(kind, step.index, 'begun'), step),
    end: (kind, index, result) => put(nameOf(kind, index, 'done'), result),
    isGivenUp: (what) => records.has(givenUp(what)),
    giveUp: (what) => put(givenUp(what), { what }),
    get outcome() {
      return outcome;
    },
    async finish(given) {
      await put('outcome.json', given);
      outcome = given;
      // Where this fails, who goes on with open requests sees that it has ended, and does it again.
      await closeRequest(head.requestId, options).catch(() => undefined);
    },
  };
}
