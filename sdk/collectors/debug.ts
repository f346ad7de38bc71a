import type { Collector } from '../delivery/route.ts';
import { type ImmediateOptions, immediate } from './immediate.ts';

export interface DebugOptions extends Partial<ImmediateOptions> {
  /** Takes each line; the standard output by default. `url`: each event is sent too, in a request of its own. */
  readonly print?: (line: string) => void;
}

/** Prints every event and, with a `url`, sends it and prints what became of it. Without, `add` resolves with undefined. */
export function debug(options: DebugOptions = {}): Collector {
  const { url, print = printLine } = options;
  const sender = url === undefined ? undefined : immediate({ ...options, url });
  return {
    add: async (route, json) => {
      print(`${route.name} ${json}`);
      const delivery = await sender?.add(route, json);
      if (delivery !== undefined) print(`${route.name} ${JSON.stringify(delivery)}`);
      return delivery;
    },
    flush: async () => sender?.flush(),
    close: async (closing) => (await sender?.close(closing)) ?? { undelivered: [], kept: 0 },
  };
}

const printLine = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
