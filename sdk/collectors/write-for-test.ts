import { writeSync } from 'node:fs';
import { createLineRoute } from '../spool/sink-for-test.ts';
import { file } from './file.ts';

/*
 * A process that writes events for tests, many of them beside each other or killed. Arguments: DIR NAME COUNT BATCH
 * [stay|exit]. Ends without closing the collector, with exit at once.
 */
const [dir = '', name = '', count = '0', batchEvents = '1', then] = process.argv.slice(2);
const collector = file({ dir, rotate: 'day', batchEvents: Number(batchEvents) });
const route = createLineRoute('analysys/test');
const added: Promise<unknown>[] = [];
for (let number = 0; number < Number(count); number++) {
  const json = JSON.stringify({ id: `${name}-${number}`, text: 'é'.repeat(1 + (number % 7) * 1000) });
  added.push(collector.add(route, json).then(() => writeSync(1, `${name}-${number}\n`)));
  if (number % 20 === 0) await new Promise(setImmediate);
}
if (then === 'exit') process.exit();
if (then === 'stay') setInterval(() => {}, 1000);
