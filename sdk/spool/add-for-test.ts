import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { batch } from '../collectors/batch.ts';
import { createLineRoute } from './sink-for-test.ts';

/*
 * A process for tests to kill: adds events to a spool and says of each, in a line of its standard output, that its `add`
 * had returned, or which error it was rejected with. Arguments: URL DIR NAME COUNT [exit|stay].
 */
const [url = '', spool = '', name = '', count = '0', then = 'stay'] = process.argv.slice(2);
// Its default action ends the process: a file that may not grow is to be an error of the write.
process.on('SIGXFSZ', () => {});
const tell = (line: string) => writeSync(1, `${line}\n`);
const collector = batch({
  url,
  spool,
  maxAgeMs: 20,
  backoffMs: 20,
  backoffCeilingMs: 50,
  onError: ({ kind, detail }) => {
    if (kind === 'spool') tell(`trouble ${detail}`);
  },
});
const route = createLineRoute();
for (let number = 0; number < Number(count); number++) {
  const json = JSON.stringify({ id: `${name}-${number}`, text: 'x'.repeat(100) });
  await collector.add(route, json).then(
    () => tell(`added ${json}`),
    (error) => tell(`rejected ${error.code} ${json}`),
  );
  if (number % 10 === 0) await wait(1);
}
tell('done');
if (then === 'stay') setInterval(() => {}, 1000);
