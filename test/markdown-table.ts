/** The rows of the first table after `mark`, each a list of cells without the back quotes around a whole cell. */
export function readTable(markdown: string, mark: string): string[][] {
  const lines = (markdown.split(mark, 2)[1] ?? '').split('\n');
  const start = lines.findIndex((line) => /^\|[\s|:-]+\|$/.test(line) && line.includes('---'));
  const rows = lines.slice(start + 1);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
  );
}
