import { gzipSync } from 'node:zlib';
import { describeAnswer } from '../delivery/describe-answer.ts';
import type { Judgement, Route, Verdict } from '../delivery/route.ts';

/** Events of our own dialect to `/v1/events`: one a line, gzipped. `key` is the project, which no event names. */
export function createTributaryRoute(key: string): Route {
  const headers = {
    Authorization: `Bearer ${key}`,
    'Content-Type': 'application/x-ndjson',
    'Content-Encoding': 'gzip',
  };
  return {
    name: `tributary/${encodeURIComponent(key)}`,
    // Far below what ingest takes (10,000 events, 20 MiB inflated): more would not compress better.
    limits: { events: 500, bytes: 2 * 1024 * 1024 },
    encode: (events) => ({
      path: '/v1/events',
      headers,
      body: gzipSync(events.bytes, { level }),
    }),
    judge,
  };
}

const level = 1;

/** The answers of docs/own-api.md. One that is not JSON is not ingest's, so the events are sent again. */
function judge(status: number, body: string, events: number): Judgement {
  const isDelivered = status >= 200 && status < 300;
  const answer = body.trim() === '' ? {} : readAnswer(body);
  if (isDelivered && answer === undefined) return { kind: 'failed', detail: describeAnswer(status, body) };
  const given = Array.isArray(answer?.verdicts) ? (answer.verdicts as readonly Verdict[]) : undefined;
  // A body that cannot be read has one verdict for all of its events.
  const verdicts = given?.length === events ? given : undefined;
  const told = verdicts && { verdicts };
  if (isDelivered) return { kind: 'delivered', ...told };
  return { kind: 'refused', detail: given?.[0]?.detail ?? describeAnswer(status, body), ...told };
}

function readAnswer(body: string): { readonly verdicts?: unknown } | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return undefined;
  }
}
