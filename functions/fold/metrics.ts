import type { CountDescription, Counts } from '../../shared/host/metrics.ts';
import type { Tick } from './run-tick.ts';

/**
 * What fold counts. It holds that
 *   ticks = folded + unchanged + unfinished + yielded + failed.
 */
export const foldCounts = {
  ticks: { name: 'tributary.fold.ticks', unit: '{tick}', description: 'calls of those who may call' },
  ticksFolded: {
    name: 'tributary.fold.ticks.folded',
    unit: '{tick}',
    description: 'ticks that folded all that was there when they began',
  },
  ticksUnchanged: {
    name: 'tributary.fold.ticks.unchanged',
    unit: '{tick}',
    description: 'ticks that found nothing new',
  },
  ticksUnfinished: {
    name: 'tributary.fold.ticks.unfinished',
    unit: '{tick}',
    description: 'ticks whose time was over: the next one goes on',
  },
  ticksYielded: {
    name: 'tributary.fold.ticks.yielded',
    unit: '{tick}',
    description: 'ticks that left the work to another one',
  },
  ticksFailed: {
    name: 'tributary.fold.ticks.failed',
    unit: '{tick}',
    description: 'ticks that a service of Google or invalid settings ended: the next one goes on',
  },
  rebuilds: {
    name: 'tributary.fold.rebuilds',
    unit: '{tick}',
    description: 'ticks that folded everything anew',
  },
  bindingsChanged: {
    name: 'tributary.fold.bindings.changed',
    unit: '{device}',
    description: 'devices whose user changed',
  },
  personsFolded: {
    name: 'tributary.fold.persons.folded',
    unit: '{person}',
    description: 'persons that were folded',
  },
  queriesRun: {
    name: 'tributary.fold.queries.run',
    unit: '{query}',
    description: 'queries of ticks that ended',
  },
  bytesProcessed: {
    name: 'tributary.fold.bytes.processed',
    unit: '{byte}',
    description: 'bytes that BigQuery processed for these queries',
  },
} satisfies Record<string, CountDescription>;

export type FoldCounts = Counts<keyof typeof foldCounts>;

const countOf = {
  folded: 'ticksFolded',
  unchanged: 'ticksUnchanged',
  unfinished: 'ticksUnfinished',
  busy: 'ticksYielded',
  overtaken: 'ticksYielded',
} as const satisfies Record<Tick['kind'], keyof FoldCounts>;

/** Counts a tick, or `failed`. */
export function countTick(counts: FoldCounts, tick: Tick | 'failed'): void {
  counts.ticks++;
  if (tick === 'failed') {
    counts.ticksFailed++;
    return;
  }
  counts[countOf[tick.kind]]++;
  if (tick.kind === 'folded' && tick.mode === 'full') counts.rebuilds++;
  counts.bindingsChanged += tick.bindings;
  counts.personsFolded += tick.persons;
  counts.queriesRun += tick.queries;
  counts.bytesProcessed += tick.bytes;
}
