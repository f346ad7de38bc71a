import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, refuse, refuseWithReason, send } from './answer.ts';
import { bendAnswer, type HtmlAnswer, refusalOf } from './fault-answers.ts';
import type { FaultName } from './faults.ts';
import type { Caller } from './oauth/tokens.ts';
import { type Call, readCall } from './route.ts';
import type { World } from './world.ts';

/** Runs a request against the APIs, with its faults and quotas, and records it. The path is one of the APIs'. */
export async function serveCall(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const form = request.method === 'POST' ? await text(request) : '';
  const call = readCall(world, request.method ?? '', url, form);
  if (call === undefined) return send(response, refuse(404, 'Not Found'));
  const quota = call.propertyId === undefined ? undefined : world.properties.get(call.propertyId)?.quota;
  const tooMuch = quota?.enter(world.clock.now());
  if (tooMuch !== undefined) {
    world.record(call, tooMuch.status, countReports(form, call));
    return send(response, tooMuch);
  }
  response.once('close', () => quota?.leave());
  const { api, method, entities } = call;
  const rule = world.faults.match({ api, method, entities, text: url.search + form }, world.clock.now());
  if (rule !== undefined && rule.delayMs > 0) await wait(rule.delayMs);
  const answer = answerOf(world, call, request, url, form, rule?.fault);
  if (answer.status === 500 || answer.status === 503) quota?.serverError(world.clock.now());
  world.record(call, answer.status, countReports(form, call));
  deliver(request, response, answer, rule?.fault);
}

function answerOf(
  world: World,
  call: Call,
  request: IncomingMessage,
  url: URL,
  form: string,
  fault: FaultName | undefined,
): Answer | HtmlAnswer {
  if (fault === 'reset' || fault === 'hang') return { status: 0, body: {} };
  const refusal = fault === undefined ? undefined : refusalOf(fault, call.api);
  if (refusal !== undefined) return refusal;
  const caller = call.needsToken ? callerOf(world, call, request, url) : { caller: null };
  if ('status' in caller) return caller;
  const body = call.api === 'token' ? undefined : parseJson(form);
  const answer = call.run(caller.caller, body);
  return fault === undefined ? answer : bendAnswer(fault, call.api, answer, offsetOf(body));
}

function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer | HtmlAnswer,
  fault: FaultName | undefined,
): void {
  if (fault === 'hang') return;
  if (fault === 'reset' || fault === 'reset_after_work') {
    request.socket.destroy();
    return;
  }
  if ('html' in answer) {
    response.writeHead(answer.status, { 'content-type': 'text/html; charset=UTF-8' }).end(answer.html);
    return;
  }
  if (fault === 'not_json') {
    response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' }).end('{"rows": [');
    return;
  }
  if (fault === 'cut_body') {
    const bytes = Buffer.from(JSON.stringify(answer.body));
    response.writeHead(answer.status, {
      'content-type': 'application/json; charset=UTF-8',
      'content-length': bytes.length,
    });
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => request.socket.destroy());
    return;
  }
  send(response, answer);
}

function callerOf(
  world: World,
  call: Call,
  request: IncomingMessage,
  url: URL,
): { caller: Caller | null } | Answer {
  const token =
    /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('access_token');
  if (token === null && world.anonymous) return { caller: null };
  const caller = token === null ? undefined : world.tokens.callerOf(token);
  if (caller !== undefined) return { caller };
  const given =
    token === null
      ? 'Request is missing required authentication credential.'
      : 'Request had invalid authentication credentials.';
  const message = `${given} Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.`;
  return call.api === 'google_analytics'
    ? refuse(401, message)
    : refuseWithReason(401, token === null ? 'required' : 'authError', message, {
        status: 'UNAUTHENTICATED',
      });
}

/** An empty body is an empty object, as Google takes it; undefined when it is no JSON. */
function parseJson(form: string): unknown {
  if (form.trim() === '') return {};
  try {
    return JSON.parse(form) as unknown;
  } catch {
    return undefined;
  }
}

/** Each report of a batch counts. */
function countReports(form: string, call: Call): number {
  if (call.method !== 'batchRunReports') return 1;
  const body = parseJson(form);
  const requests = typeof body === 'object' && body !== null && 'requests' in body ? body.requests : [];
  return Array.isArray(requests) ? requests.length : 0;
}

function offsetOf(body: unknown): number {
  const first =
    typeof body === 'object' && body !== null && 'requests' in body && Array.isArray(body.requests)
      ? (body.requests[0] as unknown)
      : body;
  return typeof first === 'object' && first !== null && 'offset' in first ? Number(first.offset) : 0;
}
