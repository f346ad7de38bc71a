import { invalid } from './errors.ts';

const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Takes a multipart/related body apart: the object resource as JSON, then the content (RFC 2387; see
 * https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object, "JSON API multipart upload").
 */
export function parseMultipart(
  contentType: string,
  body: Buffer,
): { metadata: Buffer; content: Buffer; contentType: string | undefined } {
  const [, quoted, plain] =
    /^multipart\/related;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined)
    throw invalid('A multipart upload needs Content-Type: multipart/related; boundary=...');
  const delimiter = Buffer.from(`--${boundary}`);
  // The preamble, the two parts and what follows the closing delimiter.
  const pieces = splitParts(body, delimiter);
  const [metadata, content] = pieces;
  if (pieces.length !== 2 || metadata === undefined || content === undefined) {
    throw invalid(`A multipart upload has two parts, metadata and content; this one has ${pieces.length}.`);
  }
  if (!/^application\/json\b/i.test(metadata.contentType ?? '')) {
    throw invalid('The first part of a multipart upload must be application/json.');
  }
  return { metadata: metadata.bytes, content: content.bytes, contentType: content.contentType };
}

function splitParts(body: Buffer, delimiter: Buffer): { contentType: string | undefined; bytes: Buffer }[] {
  const parts: { contentType: string | undefined; bytes: Buffer }[] = [];
  let position = body.subarray(0, delimiter.length).equals(delimiter)
    ? 0
    : indexAfterLine(body, delimiter, 0);
  while (position >= 0) {
    const afterDelimiter = position + delimiter.length;
    if (body.subarray(afterDelimiter, afterDelimiter + 2).toString('latin1') === '--') return parts;
    const lineEnd = body.indexOf(LINE_END, afterDelimiter);
    const next = indexAfterLine(body, delimiter, afterDelimiter);
    if (lineEnd < 0 || next < 0) break;
    // A part without headers has its empty line at once.
    const headEnd = body.indexOf(HEAD_END, lineEnd);
    if (headEnd < 0 || headEnd > next) break;
    const head = body.subarray(lineEnd, headEnd).toString('latin1');
    const [, contentType] = /^content-type:\s*(.*?)\s*$/im.exec(head) ?? [];
    const start = headEnd + HEAD_END.length;
    parts.push({ contentType, bytes: body.subarray(start, Math.max(start, next - LINE_END.length)) });
    position = next;
  }
  throw invalid('The multipart body has no closing delimiter.');
}

/** Where the delimiter next begins a line and is a whole one, so that content may hold what looks like its start. */
function indexAfterLine(body: Buffer, delimiter: Buffer, from: number): number {
  const wanted = Buffer.concat([LINE_END, delimiter]);
  for (let at = body.indexOf(wanted, from); at >= 0; at = body.indexOf(wanted, at + 1)) {
    const following = body.subarray(at + wanted.length, at + wanted.length + 2).toString('latin1');
    if (following === '--' || following === '\r\n' || /^[ \t]/.test(following)) return at + LINE_END.length;
  }
  return -1;
}
