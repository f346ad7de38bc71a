import type { IncomingMessage, ServerResponse } from 'node:http';
import { http } from '@google-cloud/functions-framework';

http('replay', (request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(request.url === '/healthz' ? 200 : 404).end();
});
