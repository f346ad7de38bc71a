import { z } from 'zod';
import type { FuzzDialect } from './cases.ts';
import type { HttpAnswer } from './play.ts';
import type { Outcome } from './reference-decoder.ts';

/** Whether the answer says that the request was taken, whatever became of its events. */
export function isKept(dialect: FuzzDialect | undefined, answer: HttpAnswer | undefined): boolean {
  if (answer === undefined) return false;
  if (dialect === 'growingio') return answer.status === 204;
  if (dialect === 'tributary') return answer.status === 200 || answer.status === 400;
  return answer.status === 200;
}

/** Whether it is what the SDKs of the dialect take for success or, in our own, says what shall have become of each event. */
export function isOwnAnswer(
  dialect: FuzzDialect | undefined,
  { status, body }: HttpAnswer,
  outcome: Outcome,
): boolean {
  if (dialect === 'growingio') return status === 204 && body === '';
  if (dialect === 'segment') return status === 200 && body === '{"success":true}';
  if (dialect === 'tributary') return isVerdicts(status, body, outcome);
  return status === 200 && body === '{"code":200}';
}

const answerSchema = z.object({
  receipt: z.object({ request_hash: z.string() }),
  verdicts: z.array(
    z.object({
      index: z.number().nullable(),
      verdict: z.string(),
      event_id: z.string().optional(),
      detail: z.string().optional(),
    }),
  ),
});

function isVerdicts(status: number, body: string, outcome: Outcome): boolean {
  const read = answerSchema.safeParse(parse(body));
  if (!read.success) return false;
  const { verdicts } = read.data;
  const isRefusedWhole = status === 400 && verdicts.length === 1 && verdicts[0]?.index === null;
  if (outcome.kind === 'undecodable') return isRefusedWhole;
  if (outcome.kind !== 'items') return isRefusedWhole || status === 200;
  const wanted = { event: 'accepted', refused: 'quarantined', either: undefined };
  return (
    status === 200 &&
    verdicts.length === outcome.items.length &&
    verdicts.every(({ index, verdict, event_id: id, detail = '' }, place) => {
      const item = outcome.items[place];
      const expected = item === undefined ? undefined : wanted[item.kind];
      const isTold = verdict === 'accepted' ? /^[0-9a-f]{32}$/.test(id ?? '') : detail.length > 10;
      return index === place && isTold && (expected === undefined || verdict === expected);
    })
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
