import { encodeJsonTexts } from '../../shared/wire/analysys/encode.ts';
import { describeAnswer } from '../delivery/describe-answer.ts';
import { writeList } from '../delivery/event-lines.ts';
import type { Judgement, Route } from '../delivery/route.ts';

/** Events of one project to `/up`, as Analysys' Node SDK sends them: a plain JSON array. */
export const createAnalysysRoute = (appId: string): Route => ({
  name: `analysys/${encodeURIComponent(appId.toWellFormed())}`,
  // The Python SDK's collecter_max_size.
  limits: { events: 100, bytes: 1024 * 1024 },
  encode: (events) => ({ ...encodeJsonTexts(appId, []), body: writeList(events) }),
  judge: judgeAnalysys,
});

/**
 * The Java SDK takes only a 2xx with `"code":200` for success. Of the other codes the web SDK never sends again what
 * was answered with 400 or 4200, and 420 is a body that could not be read. An answer that is not Analysys' (a gateway's
 * page) may mean anything, so the events are sent again; an empty one is some gateways' success.
 */
function judgeAnalysys(status: number, body: string): Judgement {
  if (status < 200 || status > 299) return { kind: 'refused', detail: describeAnswer(status, body) };
  const code = body.trim() === '' ? 200 : codeOf(body);
  if (code === 200) return { kind: 'delivered' };
  const isFinal = code === 400 || code === 420 || code === 4200;
  return { kind: isFinal ? 'refused' : 'failed', detail: describeAnswer(status, body) };
}

/** Plain, or as base64 of gzip, of which the success is always the same text. */
function codeOf(body: string): number | undefined {
  if (body.includes(zippedSuccess)) return 200;
  const code = /"code"\s*:\s*(\d+)/.exec(body)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** What no other code's has of H4sIAAAAAAAAAKtWSs5PSVWyMjIwqAUAVAOW6gwAAAA=. */
const zippedSuccess = 'MjIwqAUAVAOW';
