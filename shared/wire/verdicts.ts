import type { EventVerdict, RequestOutcome } from './dialect.ts';

/** What our own dialect answers, and every dialect with `?verify=1`: JSON in this form. */
export interface VerdictsAnswer {
  /** Only of a request with `?verify=1`: nothing of it was kept. */
  readonly verify?: true;
  readonly receipt: {
    /** As in the tables; null where nothing was kept. */
    readonly batch_id: string | null;
    /** RFC 3339. */
    readonly received_at: string;
    readonly request_hash: string;
    readonly accepted: number;
    readonly duplicate: number;
    readonly quarantined: number;
    readonly dropped: number;
  };
  readonly verdicts: readonly WrittenVerdict[];
}

export interface WrittenVerdict {
  /** Of the event in the request, from 0; null where the verdict is on the whole request. */
  readonly index: number | null;
  readonly verdict: EventVerdict['verdict'];
  /** Of what was accepted, and of a duplicate. */
  readonly event_id?: string;
  /** Of what was accepted and bends a rule, as in the column of that name. */
  readonly warnings?: readonly string[];
  /** Of what was quarantined or dropped: one word, the field where there is one, and the fix in words. */
  readonly reason?: string;
  readonly field?: string;
  readonly detail?: string;
}

/** The answer as JSON text. */
export function writeVerdicts(outcome: RequestOutcome, { isVerify }: { readonly isVerify: boolean }): string {
  const receipt: VerdictsAnswer['receipt'] = {
    batch_id: isVerify ? null : outcome.batchId,
    received_at: new Date(outcome.receivedAt / 1000).toISOString(),
    request_hash: outcome.requestHash,
    ...outcome.counts,
  };
  let verdicts = '';
  for (const one of outcome.verdicts) verdicts += `${verdicts === '' ? '' : ','}${writeVerdict(one)}`;
  return `{${isVerify ? '"verify":true,' : ''}"receipt":${JSON.stringify(receipt)},"verdicts":[${verdicts}]}\n`;
}

/** An event id is of hexadecimal digits, so what is usual needs no look for what must be escaped. */
const writeVerdict = (one: EventVerdict): string =>
  one.verdict === 'accepted' && one.warnings.length === 0
    ? `{"index":${one.index ?? null},"verdict":"accepted","event_id":"${one.eventId}"}`
    : JSON.stringify(toWritten(one));

function toWritten(one: EventVerdict): WrittenVerdict {
  const { index = null, verdict } = one;
  if (verdict === 'accepted') return { index, verdict, event_id: one.eventId, warnings: one.warnings };
  if (verdict === 'duplicate') return { index, verdict, event_id: one.eventId };
  const { reason, field, detail } = one.refusal;
  return { index, verdict, reason, ...(field !== undefined && { field }), detail };
}
