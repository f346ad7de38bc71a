import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { resolve } from 'node:path';
import { z } from 'zod';

const requestSchema = z.object({
  method: z.string(),
  path: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body_base64: z.string(),
});

const analysysEvents = z.array(
  z.object({
    appid: z.string(),
    xwho: z.string(),
    xwhat: z.string(),
    xwhen: z.number(),
    xcontext: z.record(z.string(), z.json()),
  }),
);

/** What GrowingIO's JSON holds, or protobuf as hexadecimal. */
export const growingioElements = z.union([z.string(), z.array(z.record(z.string(), z.json()))]);

export type SentRequest = z.infer<typeof requestSchema>;
export type CapturedEvent = z.infer<typeof analysysEvents>[number];

/** A request recorded from a real SDK, and what it holds. */
export type Capture<Decoded = CapturedEvent[]> = SentRequest & {
  readonly file: string;
  readonly decoded: Decoded;
};

const folder = resolve(import.meta.dirname, 'captures');

/** The recorded requests of every SDK whose file begins with `vendor`, in the order they were sent. */
export function readCaptures(vendor: 'analysys'): Capture[];
export function readCaptures<Decoded>(vendor: string, decoded: z.ZodType<Decoded>): Capture<Decoded>[];
export function readCaptures(vendor: string, decoded: z.ZodType = analysysEvents): Capture<unknown>[] {
  const captures = z.array(requestSchema.extend({ decoded }));
  const files = readdirSync(folder).filter((file) => file.startsWith(vendor));
  return files.flatMap((file) =>
    captures.parse(JSON.parse(readFileSync(resolve(folder, file), 'utf8'))).map((one) => ({ ...one, file })),
  );
}

/** Sends a recorded request again: the same bytes under the same headers, as the SDK wrote them. */
export function sendCapture(base: string, capture: SentRequest): Promise<{ status: number; body: string }> {
  const body = Buffer.from(capture.body_base64, 'base64');
  return new Promise((resolveAnswer, reject) => {
    const { hostname, port } = new URL(base);
    const request = httpRequest({
      hostname,
      port,
      method: capture.method,
      path: capture.path,
      headers: Object.fromEntries(
        capture.headers.filter(([name]) => !/^(host|connection|content-length)$/i.test(name)),
      ),
      agent: false,
      timeout: 30_000,
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 30 s')));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolveAnswer({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', reject);
    });
    request.setHeader('Content-Length', body.length);
    request.end(body);
  });
}
