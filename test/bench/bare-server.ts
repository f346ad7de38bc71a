// The baseline: node:http that opens and parses the body, and does nothing with it.
import { createServer } from 'node:http';
import { parseAnyBody } from './parse-any-body.ts';

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const stm = /[?&]stm=(\d+)/.exec(request.url ?? '')?.[1];
    parseAnyBody(Buffer.concat(chunks), {
      stm: stm === undefined || request.headers['x-crypt-codec'] === undefined ? undefined : Number(stm),
      isProtobuf: request.headers['content-type'] === 'application/protobuf',
    });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 12 });
    response.end('{"code":200}');
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
