import { writeSync } from 'node:fs';
import { AnalysysTracker, batch, GrowingTracker, Tracker } from './index.ts';

/*
 * A process for tests to kill: tracks to a spool through every tracker, and writes the name of each event once it is
 * taken. Arguments: URL DIR NAME COUNT.
 */
const [url = '', spool = '', name = '', count = '0'] = process.argv.slice(2);
const collector = batch({ url, spool, maxAgeMs: 20 });
const analysys = new AnalysysTracker({ appId: 'durable', collector });
const growing = new GrowingTracker({ projectId: 'durable', dataSourceId: 'source', collector });
const own = new Tracker({ key: 'durable', collector });
for (let number = 0; number < Number(count); number++) {
  const properties = { number };
  await analysys.track('device', `${name}_analysys_${number}`, properties);
  await growing.trackCustomEvent(`${name}_growing_${number}`, { anonymousId: 'device' });
  await own.track({ anonymousId: 'device' }, `${name}_own_${number}`, properties);
  for (const dialect of ['analysys', 'growing', 'own']) writeSync(1, `${name}_${dialect}_${number}\n`);
}
setInterval(() => {}, 1000);
