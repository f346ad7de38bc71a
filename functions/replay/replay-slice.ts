import { publishAll } from '../../shared/google/publish-all.ts';
import type { Message, SendMessages } from '../../shared/google/pubsub-publisher.ts';
import type { Settings } from '../../shared/settings/settings.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import type { Writer } from '../../shared/warehouse/writer.ts';
import type { WireDialect } from '../../shared/wire/dialect.ts';
import type { Cursor } from './cursor.ts';
import { encodeOutcome } from './encode-outcome.ts';
import { type JudgeOptions, judgeBatch, type Verdict } from './judge-batch.ts';
import type { PickedRow } from './quarantined-row.ts';
import type { Found, QuarantineReader } from './read-quarantine.ts';
import { createTally, type Group } from './tally.ts';

export interface ReplayOptions {
  readonly reader: QuarantineReader;
  readonly send: SendMessages;
  readonly writer: Pick<Writer, 'append'>;
  readonly dialects: readonly WireDialect[];
  /** What a request may inflate to, in bytes, and hold, in events. */
  readonly caps: JudgeOptions['caps'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a request to Pub/Sub, Cloud Storage or an append may take, tries included. */
  readonly callWithinMs: number;
}

export interface SliceCall {
  /** Known to stay between its parentheses, and to BigQuery. */
  readonly where: string;
  readonly dryRun: boolean;
  /** The most rows to decide. */
  readonly limit: number;
  /** Where the slice before ended; undefined at the first. */
  readonly after: Cursor | undefined;
  readonly replayId: string;
  readonly settings: Settings;
}

export interface Slice {
  readonly rows: number;
  readonly groups: readonly Group[];
  /** Of all slices; told by the first. */
  readonly found: Found | undefined;
  /** Undefined where nothing is left. */
  readonly after: Cursor | undefined;
}

/** What was published or appended before stays so; another replay goes on from there. */
export class ReplayInterrupted extends Error {}

/** Most of a slice: the bodies are held as they are decoded, and a caller wants to see progress. */
export const sliceLimits = { rows: 1_000, bodyBytes: 32_000_000, timeMs: 20_000 };

/** At most, of decided rows that wait to be published. */
const mostPending = { rows: 500, bytes: 8_000_000 };

/**
 * Decides a slice of quarantine and brings onto the path again what passes.
 *
 * An outcome is written only when Pub/Sub has acknowledged the events. A crash between the two has the next replay
 * publish them again, with the same ids, so that `events` shows each once.
 */
export async function replaySlice(call: SliceCall, options: ReplayOptions): Promise<Slice> {
  const { reader, dialects, caps, now } = options;
  const { where, dryRun, replayId, settings } = call;
  const deadline = now() + sliceLimits.timeMs;
  const start = call.after ?? { until: now() * 1000, receivedAt: 0, batchId: '', quarantineId: '' };
  const found = call.after === undefined ? await reader.count(where, start.until) : undefined;
  const limit = Math.min(call.limit, sliceLimits.rows);
  const answered = found?.rows === 0 ? [] : await reader.pick(where, start, limit);
  const picked = takeBytes(answered);
  const byId = new Map(picked.map((row) => [row.id, row]));

  const tally = createTally();
  const decided = new Set<string>();
  let messages: Message[] = [];
  let verdicts: Verdict[] = [];
  let bytes = 0;
  const flush = async () => {
    if (!dryRun) {
      await publishAll(options.send, messages, options.callWithinMs).catch((cause: unknown) => {
        throw new ReplayInterrupted('Pub/Sub did not acknowledge the events', { cause });
      });
      await appendOutcomes(verdicts, byId, replayId, options);
    }
    for (const verdict of verdicts) {
      tally.add(verdict);
      decided.add(verdict.row.id);
    }
    messages = [];
    verdicts = [];
    bytes = 0;
  };

  let isWhole = true;
  if (picked.length > 0) {
    for await (const batch of reader.read(picked)) {
      const judged = judgeBatch(batch, ({ id }) => byId.has(id), { dialects, settings, caps, replayId });
      verdicts.push(...judged.verdicts);
      messages.push(...judged.messages);
      for (const { data } of judged.messages) bytes += data.length;
      if (verdicts.length >= mostPending.rows || bytes >= mostPending.bytes) await flush();
      if (now() > deadline) {
        isWhole = false;
        break;
      }
    }
    await flush();
  }

  const last = isWhole ? picked.at(-1) : lastBeforeUndecided(picked, decided);
  const isEnd = isWhole && picked.length === answered.length && answered.length < limit;
  return {
    rows: decided.size,
    groups: tally.groups(),
    found,
    after: isEnd ? undefined : last === undefined ? start : cursorAt(last, start.until),
  };
}

/** As many as one slice may hold; one at least. */
function takeBytes(rows: readonly PickedRow[]): readonly PickedRow[] {
  let bytes = 0;
  const end = rows.findIndex(({ bodyBytes }) => {
    bytes += bodyBytes;
    return bytes > sliceLimits.bodyBytes;
  });
  return end < 0 ? rows : rows.slice(0, Math.max(1, end));
}

function lastBeforeUndecided(
  picked: readonly PickedRow[],
  decided: ReadonlySet<string>,
): PickedRow | undefined {
  const end = picked.findIndex(({ id }) => !decided.has(id));
  return end < 0 ? picked.at(-1) : picked[end - 1];
}

const cursorAt = ({ receivedAt, batchId, id }: PickedRow, until: number): Cursor => ({
  until,
  receivedAt,
  batchId,
  quarantineId: id,
});

async function appendOutcomes(
  verdicts: readonly Verdict[],
  picked: ReadonlyMap<string, PickedRow>,
  replayId: string,
  { writer, now, callWithinMs }: ReplayOptions,
): Promise<void> {
  const decidedAt = now() * 1000;
  const rows = verdicts.flatMap(
    (verdict) => encodeOutcome(verdict, picked.get(verdict.row.id)?.last, replayId, decidedAt) ?? [],
  );
  const outcome = await writer.append(
    'quarantine_outcomes',
    currentSchemaVersion,
    rows,
    now() + callWithinMs,
  );
  if (outcome.kind === 'appended' && outcome.refused.length === 0) return;
  const detail =
    outcome.kind === 'appended'
      ? outcome.refused[0]?.detail
      : outcome.kind === 'failed'
        ? outcome.detail
        : outcome.kind;
  throw new ReplayInterrupted(`the outcomes could not be appended to quarantine_outcomes: ${detail}`);
}
