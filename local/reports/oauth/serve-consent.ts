import type { ServerResponse } from 'node:http';
import { type Answer, refuse, send } from '../answer.ts';
import type { World } from '../world.ts';

/**
 * `GET /o/oauth2/v2/auth`: the consent page, at which the client's first user agrees at once: back to the redirect address
 * with a code. `login_hint` names another; `deny` as the hint declines.
 */
export function serveConsent(world: World, response: ServerResponse, url: URL): void {
  const back = consent(world, url.searchParams);
  if ('status' in back) send(response, back);
  else response.writeHead(302, { location: back.href }).end();
}

function consent(world: World, parameters: URLSearchParams): URL | Answer {
  const redirect = parameters.get('redirect_uri') ?? '';
  const hint = parameters.get('login_hint');
  const known = world.seed.credentials.filter((it) => it.clientId === parameters.get('client_id'));
  const agrees = known.find((it) => it.email === hint) ?? known[0];
  if (agrees === undefined) return refuse(401, 'The OAuth client was not found.');
  if (!/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(redirect)) {
    return refuse(400, `redirect_uri_mismatch: ${redirect}`);
  }
  if (parameters.get('response_type') !== 'code' || (parameters.get('scope') ?? '') === '') {
    return refuse(400, 'invalid_request: response_type=code and a scope are required.');
  }
  const back = new URL(redirect);
  const state = parameters.get('state');
  if (state !== null) back.searchParams.set('state', state);
  if (hint === 'deny') back.searchParams.set('error', 'access_denied');
  else {
    back.searchParams.set('code', `code-${agrees.refreshToken}`);
    back.searchParams.set('scope', parameters.get('scope') ?? '');
  }
  return back;
}
