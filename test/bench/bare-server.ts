// The baseline: node:http that inflates and parses the body, and does nothing with it.
import { createServer } from 'node:http';
import { parseAnyBody } from './parse-any-body.ts';

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    parseAnyBody(Buffer.concat(chunks));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': 12 });
    response.end('{"code":200}');
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
