import type { GrowingCodec } from '../codecs/codec.ts';
import { describeAnswer } from '../delivery/describe-answer.ts';
import { readEvents } from '../delivery/event-lines.ts';
import type { Judgement, Route } from '../delivery/route.ts';

/** Events (`/v3/projects/{id}/collect`) or items (`/projects/{id}/collect/item`) of a project of GrowingIO. */
export const createGrowingRoute = (
  kind: 'event' | 'item',
  projectId: string,
  codec: GrowingCodec,
): Route => ({
  name: `growingio/${encodeURIComponent(projectId)}/${kind === 'event' ? 'collect' : 'item'}`,
  // The vendor's max_size.
  limits: { events: 500, bytes: 1024 * 1024 },
  encode: (events, sentAt) => codec.encode(kind, projectId, readEvents(events), sentAt),
  judge: judgeGrowing,
});

/** The SDKs take any status below 400 and never look at the body; a redirect stores nothing, though. */
const judgeGrowing = (status: number, body: string): Judgement =>
  status >= 200 && status < 300
    ? { kind: 'delivered' }
    : { kind: 'refused', detail: describeAnswer(status, body) };
