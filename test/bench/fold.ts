import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Tick } from '../../functions/fold/run-tick.ts';
import { type Operation, startFold } from '../../functions/fold/start-for-test.ts';
import { createShop } from './state-operations.ts';

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '1000000' },
    persons: { type: 'string', default: '100000' },
    new: { type: 'string', default: '10000' },
    active: { type: 'string', default: '1000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`Usage: npm run bench:fold [-- --operations 1000000 --persons 100000 --new 10000 --active 1000]

Bytes that fold reads, and seconds that it takes, to fold all of state_log and then what came in after that, in a local
BigQuery of its own. After each fold the table persons is compared with the view profiles.
  --operations  rows of state_log, received over 60 days; half of the persons have logged in on a device
  --persons     persons that they are of
  --new         rows that come in after that; a tenth of them were received a day ago, and arrive late
  --active      persons that those are of; a tenth of them are new`);
  process.exit(0);
}

const [operations, persons, added, active] = [
  values.operations,
  values.persons,
  values.new,
  values.active,
].map(Number) as [number, number, number, number];

const fold = await startFold(
  { withinMs: 1_800_000, leaseMs: 1_800_000 },
  { threads: availableParallelism() },
);
const shop = createShop(1);
const dayMicros = 86_400_000_000;
const now = Date.now() * 1000;
const perPerson = Math.round(operations / persons);
const pending: Operation[] = [];
let appended = 0;

for (let person = 0; person < persons; person++) {
  // Everybody comes back every few days, at any time of the day.
  await visit(
    person,
    perPerson,
    (count) => now - dayMicros * (1 + ((person + count * 7) % 59)) - timeOfDay(person + count),
  );
}
await flush();
const full = await measure('full', true);

const newcomers = Math.round(active / 10);
for (let one = 0; one < active; one++) {
  const isLate = one % 10 === 0;
  await visit(persons - active + newcomers + one, Math.round(added / active), () =>
    isLate ? now - dayMicros - timeOfDay(one) : now - 60_000_000,
  );
}
await flush();
const incremental = await measure('incremental', false);

console.log(`
fold         rows of state_log      MB read   queries   seconds
${line('full', operations, full)}
${line('incremental', added, incremental)}

incremental reads ${(full.tick.bytes / incremental.tick.bytes).toFixed(1)} times less and takes ${(full.seconds / incremental.seconds).toFixed(1)} times less time
As rows of docs/measured.md:
| \`bench:fold\`, all of ${operations} operations of ${persons} persons | ${megabytes(full)} MB read, ${full.seconds.toFixed(1)} s | |
| \`bench:fold\`, ${added} more of ${active} persons | ${megabytes(incremental)} MB read, ${incremental.seconds.toFixed(1)} s | ${(full.tick.bytes / incremental.tick.bytes).toFixed(1)} times less |`);
await fold.close();
process.exit();

/** A time within a day, in microseconds: another one for each number, to the minute. */
function timeOfDay(number: number): number {
  return ((number * 7919) % 1440) * 60_000_000;
}

interface Measured {
  readonly tick: Tick;
  readonly seconds: number;
}

async function measure(mode: Tick['mode'], isFull: boolean): Promise<Measured> {
  process.stderr.write(`${mode} fold of ${appended} rows ...\n`);
  const began = performance.now();
  const tick = await fold.tick({ full: isFull });
  const seconds = (performance.now() - began) / 1000;
  if (tick.kind !== 'folded' || tick.mode !== mode) throw new Error(JSON.stringify(tick));
  const [row] = await fold.query(`
    SELECT COUNT(persons.project) AS persons, COUNT(profiles.project) AS profiles, COUNTIF(
      TO_JSON_STRING(STRUCT(persons.properties, persons.first_seen_at, persons.updated_at))
      IS DISTINCT FROM TO_JSON_STRING(STRUCT(profiles.properties, profiles.first_seen_at, profiles.updated_at))
    ) AS different
    FROM persons
    FULL JOIN profiles
      ON persons.project = profiles.project
      AND TO_JSON_STRING(STRUCT(persons.user_key, persons.user_id, persons.anonymous_id))
        = TO_JSON_STRING(STRUCT(profiles.user_key, profiles.user_id, profiles.anonymous_id))`);
  console.log(
    `after the ${mode} fold: ${row?.persons} persons, ${row?.profiles} profiles, ${row?.different} that differ`,
  );
  if (row?.different !== 0 || row?.persons !== row?.profiles) process.exitCode = 1;
  return { tick, seconds };
}

function line(name: string, rows: number, measured: Measured): string {
  const { queries } = measured.tick;
  return `${name.padEnd(12)} ${String(rows).padStart(17)} ${megabytes(measured).padStart(12)} ${String(queries).padStart(9)} ${measured.seconds.toFixed(1).padStart(9)}`;
}

function megabytes({ tick }: Measured): string {
  return (tick.bytes / 1e6).toFixed(1);
}

/** Appends some operations of a person, of visits of at most ten. */
async function visit(person: number, count: number, receivedAt: (visit: number) => number): Promise<void> {
  for (let number = 0; number * 10 < count; number++) {
    pending.push(...shop.visit(person, Math.min(10, count - number * 10), receivedAt(number)));
  }
  if (pending.length >= 5_000) await flush();
}

async function flush(): Promise<void> {
  const rows = pending.splice(0);
  if (rows.length > 0) await fold.append(rows);
  const before = appended;
  appended += rows.length;
  if (Math.floor(before / 100_000) !== Math.floor(appended / 100_000)) {
    process.stderr.write(`${appended} rows in state_log\n`);
  }
}
