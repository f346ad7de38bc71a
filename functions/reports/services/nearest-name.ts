/** The known name that is written most alike, where one is alike at all: for a sentence that says what was meant. */
export function nearestName(wrong: string, known: Iterable<string>): string | undefined {
  const most = Math.max(2, Math.floor(wrong.length / 3));
  let nearest: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = countEdits(wrong.toLowerCase(), name.toLowerCase());
    if (distance <= most && distance < (nearest?.distance ?? Number.POSITIVE_INFINITY))
      nearest = { name, distance };
  }
  return nearest?.name;
}

/** Levenshtein's distance. */
function countEdits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1];
    for (const [place, against] of [...other].entries()) {
      const swapped = (row[place] ?? 0) + (letter === against ? 0 : 1);
      next.push(Math.min(swapped, (row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
