import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { faultSchema } from './faults.ts';
import type { AdminApi } from './index.ts';

/** What a rehearsal asks of the API beside the API: `GET state` and `calls`, `POST faults`, `bind`, `unbind` and `restore`. */
export function createControl(
  api: AdminApi,
  path: string,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const url = request.url ?? '';
    if (!url.startsWith(path)) return false;
    serve(api, `${request.method} ${url.slice(path.length)}`, request).then(
      (answer) =>
        send(response, answer === undefined ? 404 : 200, answer ?? { error: `There is no ${url}.` }),
      (error: unknown) =>
        send(response, 400, { error: error instanceof Error ? error.message : String(error) }),
    );
    return true;
  };
}

const place = z.strictObject({ parent: z.string(), user: z.string() });

async function serve(api: AdminApi, call: string, request: IncomingMessage): Promise<object | undefined> {
  const body = async <T>(schema: z.ZodType<T>) => schema.parse(JSON.parse(await text(request)));
  switch (call) {
    case 'GET state':
      return api.state();
    case 'GET calls':
      return { calls: api.calls() };
    case 'POST faults':
      api.setFaults(await body(z.array(faultSchema)));
      return {};
    case 'POST bind': {
      const { parent, user, roles } = await body(place.extend({ roles: z.array(z.string()).min(1) }));
      api.edit.bind(parent, user, roles);
      return {};
    }
    case 'POST unbind': {
      const { parent, user } = await body(place);
      api.edit.unbind(parent, user);
      return {};
    }
    case 'POST restore': {
      const { name } = await body(z.strictObject({ name: z.string() }));
      api.edit.restore(name);
      return {};
    }
    default:
      return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
