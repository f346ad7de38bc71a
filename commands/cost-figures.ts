import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What the benchmarks measured of the data path: `npm run bench:ingest -- --only sized` and `bench:load` write it. */
export type Figures = z.infer<typeof figuresSchema>;

export const FIGURES_FILE = new URL('../test/bench/data-path.json', import.meta.url);

/** Reads what was measured. Throws what is wrong with the file, and where. */
export function readFigures(file: URL = FIGURES_FILE): Figures {
  const parsed = figuresSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(
    `${file.pathname}:\n${z.prettifyError(parsed.error)}\nnpm run bench:ingest and npm run bench:load write it.`,
  );
}

const count = z.number().positive();
const measured = {
  /** ISO date. */
  on: z.iso.date(),
  machine: z.string(),
  node: z.string(),
  /** What was sent. */
  of: z.string(),
  rounds: z.int().min(1),
};

export const ingestFigures = z.strictObject({
  ...measured,
  points: z
    .array(
      z.strictObject({
        events: count,
        /** JSON of an event, as it was sent. */
        eventBytes: count,
        /** Of ingest, user and system time, for a request; the median. */
        cpuMicros: count,
        /** Of the message of a request: its data after compression, and the names and values of its attributes. */
        messageBytes: count,
        attributeBytes: count,
        /** Of one row, as it is appended. */
        rowBytes: count,
        /** Of the answer to a request, with its head. */
        answerBytes: count,
      }),
    )
    .min(3),
});

export const loadFigures = z.strictObject({
  ...measured,
  points: z
    .array(
      z.strictObject({
        rows: count,
        eventBytes: count,
        /** Of load, user and system time, for a message; the median. */
        cpuMicros: count,
      }),
    )
    .min(3),
});

export const figuresSchema = z.strictObject({ ingest: ingestFigures, load: loadFigures });
