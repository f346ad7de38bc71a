import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type PostedEvent, readPostedEvents } from './read-posted-events.ts';
import type { Mode, SinkCommand, SinkMessage, SinkReport } from './sink-messages.ts';

// A process of its own, forked by the bench: what it costs is not charged to the senders.

const tell = (message: SinkMessage): void => void process.send?.(message);

let mode: Mode = { kind: 'healthy' };
let isAway = false;
let requests = 0;
let connections = 0;
let closedBytes = 0;
let stored = 0;
let inFailedRequests = 0;
const sockets = new Map<Socket, number>();
/** By the number of the event; an id that is not the same in all copies becomes null. */
const copiesOf = new Map<number, number>();
const idOf = new Map<number, string | undefined | null>();
const seen = new Set<number>();

const server = createServer(async (request, response) => {
  const { socket, url = '' } = request;
  const body = await readAll(request).catch(() => undefined);
  if (body === undefined) return;
  const events = readPostedEvents(url, body);
  requests++;
  const fails = mode.kind !== 'healthy' && requests % mode.every === 0;
  if (isAway) {
    inFailedRequests += events.length;
    socket.destroy();
    return;
  }
  if (!fails || mode.kind === 'stored_then_fail') for (const event of events) store(event);
  for (const { n } of events) seen.add(n);
  if (fails) inFailedRequests += events.length;
  response.statusCode = fails ? 500 : 200;
  response.setHeader('Content-Type', 'application/json');
  response.end(fails ? '{}' : answerTo(url, events));
});
server.on('connection', (socket) => {
  connections++;
  sockets.set(socket, 0);
  socket.on('close', () => {
    closedBytes += socket.bytesRead - (sockets.get(socket) ?? 0);
    sockets.delete(socket);
  });
});

function store({ n, id }: PostedEvent): void {
  stored++;
  const copies = copiesOf.get(n) ?? 0;
  copiesOf.set(n, copies + 1);
  if (copies === 0) idOf.set(n, id);
  else if (id === undefined || idOf.get(n) !== id) idOf.set(n, null);
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What each sender's own server would say, so that none takes success for something else. */
function answerTo(url: string, events: readonly PostedEvent[]): string {
  if (url.startsWith('/v1/events')) return writeVerdicts(events);
  if (url.startsWith('/up')) return '{"code":200}';
  if (url.startsWith('/track') || url.startsWith('/import')) return '1';
  if (url.startsWith('/2/httpapi')) return `{"code":200,"events_ingested":${events.length}}`;
  return '{"status":1}';
}

/** As ingest does, docs/own-api.md: reading them is part of what sending costs. */
function writeVerdicts(events: readonly PostedEvent[]): string {
  const verdicts = events.map(({ n }, index) => ({
    index,
    verdict: 'accepted',
    event_id: n.toString(16).padStart(32, '0'),
  }));
  return JSON.stringify({ receipt: { accepted: events.length }, verdicts });
}

function report(events: number): SinkReport {
  const open = [...sockets].reduce((sum, [socket, before]) => sum + socket.bytesRead - before, 0);
  let distinct = 0;
  for (const n of copiesOf.keys()) if (n < events) distinct++;
  return {
    requests,
    connections,
    wireBytes: closedBytes + open,
    stored,
    lost: events - distinct,
    copies: stored - copiesOf.size,
    idsDiffer: [...idOf.values()].filter((id) => id === null).length,
    inFailedRequests,
  };
}

function begin(next: Mode): void {
  for (const socket of sockets.keys()) socket.destroy();
  for (const [socket] of sockets) sockets.set(socket, socket.bytesRead);
  mode = next;
  isAway = false;
  requests = connections = closedBytes = stored = inFailedRequests = 0;
  for (const collection of [copiesOf, idOf, seen]) collection.clear();
}

process.on('message', (command: SinkCommand) => {
  if (command.kind === 'report') return tell({ kind: 'report', report: report(command.events) });
  if (command.kind === 'begin') begin(command.mode);
  if (command.kind === 'leave') {
    isAway = true;
    server.close();
    for (const socket of sockets.keys()) socket.destroy();
  }
  if (command.kind === 'return') {
    isAway = false;
    server.listen(port, '127.0.0.1', () => tell({ kind: 'done', of: 'return' }));
    return;
  }
  tell({ kind: 'done', of: command.kind });
});
process.on('disconnect', () => process.exit());

let told = 0;
setInterval(() => {
  if (seen.size === told) return;
  told = seen.size;
  tell({ kind: 'seen', events: told });
}, 20);

let port = 0;
server.listen(0, '127.0.0.1', () => {
  port = (server.address() as AddressInfo).port;
  tell({ kind: 'listening', port });
});
