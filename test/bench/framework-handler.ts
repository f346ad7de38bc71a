// The second baseline: the same least work under the stock functions-framework.
import { http } from '@google-cloud/functions-framework';
import { parseAnyBody } from './parse-any-body.ts';

http('bare', (request, response) => {
  parseAnyBody((request as unknown as { rawBody?: Buffer }).rawBody ?? Buffer.alloc(0));
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 12 });
  response.end('{"code":200}');
});
