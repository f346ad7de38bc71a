/** 32 bits of a text (FNV-1a), the root of every draw about what the text names. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

/** 32 bits of several numbers, each place counting: hash(1, 2) is not hash(2, 1). */
export function hash(...parts: number[]): number {
  let state = 0x9e3779b9;
  for (const part of parts) {
    const high = Math.floor(part / 4294967296);
    state = mix(Math.imul(state ^ (part | 0), 0x85ebca6b) + (high | 0));
  }
  return state;
}

/** A number in [0, 1) of what `hash` takes. */
export function share(...parts: number[]): number {
  return hash(...parts) / 4294967296;
}

/** Draws one after another: the same seed always gives the same ones. Each is in [0, 1). */
export function createDraws(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** How many come when `mean` come on average: Poisson's, its normal approximation from 40 on. */
export function drawCount(mean: number, draw: () => number): number {
  if (mean <= 0) return 0;
  if (mean >= 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * drawNormal(draw)));
  const limit = Math.exp(-mean);
  let product = draw();
  let count = 0;
  while (product > limit) {
    product *= draw();
    count++;
  }
  return count;
}

/** Mean 0, deviation 1 (Box and Muller). */
export function drawNormal(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
}

/** A table of 1,024 places in which each index has places by its weight: one look finds a weighted draw. */
export function weigh(weights: readonly number[]): Uint8Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const places = new Uint8Array(1024);
  let at = 0;
  let before = 0;
  for (const [index, weight] of weights.entries()) {
    before += weight;
    const end = Math.round((before / total) * 1024);
    while (at < end) places[at++] = index;
  }
  return places;
}

function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
