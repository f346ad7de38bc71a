import { createStorageWriteClient } from '../google/storage-write.ts';
import { log } from '../host/log.ts';
import { createWriter, type Writer } from './writer.ts';

/** The writer of a function to its dataset, which logs what it tries again; to close it closes its client too. */
export function openWriter(project: string, dataset: string, environment: NodeJS.ProcessEnv): Writer {
  const client = createStorageWriteClient(environment);
  const writer = createWriter({
    client,
    project,
    dataset,
    onRetry: (retry) => log('WARNING', 'An append is tried again.', { ...retry }),
  });
  return {
    append: writer.append,
    async close() {
      await writer.close();
      await client.close();
    },
  };
}
