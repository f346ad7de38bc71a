import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { SinkCommand, SinkMessage, SinkReport } from './sink-messages.ts';

export interface Sink {
  readonly url: string;
  /** Resolves when it is done. */
  order(command: Exclude<SinkCommand, { kind: 'report' }>): Promise<void>;
  report(events: number): Promise<SinkReport>;
  /** Calls back with the number of distinct events it has seen, until the returned function is called. */
  follow(hear: (seen: number) => void): () => void;
  stop(): void;
}

/** Starts the sink in a process of its own. */
export async function startSink(): Promise<Sink> {
  const child = fork(resolve(import.meta.dirname, 'sink.ts'), { serialization: 'json' });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const hear = <Kind extends SinkMessage['kind']>(kind: Kind) =>
    new Promise<Extract<SinkMessage, { kind: Kind }>>((settle) => {
      const listen = (message: SinkMessage) => {
        if (message.kind !== kind) return;
        child.off('message', listen);
        settle(message as Extract<SinkMessage, { kind: Kind }>);
      };
      child.on('message', listen);
    });
  return {
    url: `http://127.0.0.1:${port}`,
    order: async (command) => {
      const done = hear('done');
      child.send(command);
      await done;
    },
    report: async (events) => {
      const answer = hear('report');
      child.send({ kind: 'report', events } satisfies SinkCommand);
      return (await answer).report;
    },
    follow: (tell) => {
      const listen = (message: SinkMessage) => {
        if (message.kind === 'seen') tell(message.events);
      };
      child.on('message', listen);
      return () => child.off('message', listen);
    },
    stop: () => child.disconnect(),
  };
}
