/** A figure of a request of so many events of so many bytes each. */
export interface MeasuredSize {
  readonly events: number;
  readonly eventBytes: number;
  readonly value: number;
}

/**
 * The figure of a size that need not be among the measured: at these it is what was measured, between them it changes as
 * `a + b events + c eventBytes + d events eventBytes`, which a part per request, per event and per byte is, and beyond
 * them as between the last two. Never negative. Throws where the figures are no grid of two sizes each way at least.
 */
export function interpolateSizes(
  points: readonly MeasuredSize[],
  events: number,
  eventBytes: number,
): number {
  const counts = distinct(points.map((it) => it.events));
  const sizes = distinct(points.map((it) => it.eventBytes));
  if (counts.length < 2 || sizes.length < 2) throw new Error(noGrid);
  const measured = (count: number, size: number): number => {
    const found = points.find((it) => it.events === count && it.eventBytes === size);
    if (found === undefined) throw new Error(noGrid);
    return found.value;
  };
  const [fewer, more] = around(counts, events);
  const [smaller, larger] = around(sizes, eventBytes);
  const at = (size: number) =>
    alongLine(events, [fewer, measured(fewer, size)], [more, measured(more, size)]);
  return Math.max(0, alongLine(eventBytes, [smaller, at(smaller)], [larger, at(larger)]));
}

const noGrid = 'There must be figures of each number of events with each size, and several of both.';

const distinct = (numbers: readonly number[]): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** The two neighbours that a number lies between, or those at the end that it lies beyond. */
function around(sorted: readonly number[], wanted: number): [number, number] {
  const above = sorted.findIndex((it) => it >= wanted);
  const end = above < 0 ? sorted.length - 1 : Math.max(1, above);
  return [sorted[end - 1] ?? Number.NaN, sorted[end] ?? Number.NaN];
}

const alongLine = (x: number, [x1, y1]: [number, number], [x2, y2]: [number, number]): number =>
  y1 + ((y2 - y1) * (x - x1)) / (x2 - x1);
