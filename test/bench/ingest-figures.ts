/** What was measured, by the form of what was sent and by server. */
export interface Figures {
  /** Microseconds of CPU an event, one per round. */
  readonly rows: Map<string, Map<string, number[]>>;
  readonly residentBytes: Map<string, number>;
}

/** Prints a row per form and server, each beside the one server that all are compared with. */
export function printFigures(
  { rows, residentBytes }: Figures,
  base: string,
  eventsPerRequest: number,
  rounds: number,
): void {
  console.log(
    `\n${eventsPerRequest} events a request, but for sized-EVENTSxBYTES; CPU per event in µs, median of ${rounds}; ratio to ${base}\n`,
  );
  console.log(`${'form'.padEnd(22)} ${'server'.padEnd(36)} ${'µs/event'.padStart(9)} ${'ratio'.padStart(7)}`);
  for (const [form, servers] of rows) {
    const least = median(servers.get(base) ?? []);
    for (const [server, measured] of servers) {
      const micros = median(measured);
      console.log(
        `${form.padEnd(22)} ${server.padEnd(36)} ${micros.toFixed(2).padStart(9)} ${(Number.isNaN(least) ? '' : (micros / least).toFixed(2)).padStart(7)}`,
      );
    }
  }
  console.log('\nAs rows of docs/measured.md:\n');
  for (const [form, servers] of rows) {
    const least = median(servers.get(base) ?? []);
    for (const [server, measured] of servers) {
      const micros = median(measured);
      if (server !== base && !Number.isNaN(least)) {
        console.log(
          `| \`bench:ingest\`, ${form}: ${server} | ${micros.toFixed(1)} µs of CPU an event | ${(micros / least).toFixed(1)} times a bare node:http server |`,
        );
      }
    }
  }
  console.log();
  for (const [server, bytes] of residentBytes) {
    console.log(`memory of ${server}: ${(bytes / 1e6).toFixed(0)} MB`);
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
