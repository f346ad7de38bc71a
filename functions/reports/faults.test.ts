import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Answered, publishAttempts } from './publish-attempts.ts';
import type { OrderedSlice, PullOrder } from './pull-order.ts';
import { serveReports } from './serve-for-test.ts';
import { createTinyService, tinyEntity, tinyReport, tinyRow } from './service-for-test.ts';
import { digestOf } from './services/digest.ts';
import { type StartedReports, startReports } from './start-for-test.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.parse('2026-03-06T07:00:00Z');

let reports: StartedReports;
let tiny: ReturnType<typeof createTinyService>;
let property: string;
let tests = 0;

beforeAll(async () => {
  reports = await startReports({ nowMs: startMs });
}, 60_000);
afterAll(() => reports.close());
beforeEach(() => {
  property = `p${++tests}`;
  reports.clock.nowMs = startMs;
  reports.logged.length = 0;
  tiny = createTinyService(
    [tinyEntity(property)],
    ['summary', 'countries'].map((key) => tinyReport(key, [property])),
  );
});

const ordered = (report: string, ladderDay = 1): OrderedSlice => ({
  entityId: property,
  report,
  date: '2026-03-05',
  ladderDay,
  cause: 'first',
  rule: 'R1_full',
  flags: [],
});
const orderOf = (ladderDay = 1): PullOrder => ({
  version: 1,
  source: 'tiny',
  probeGroup: property,
  slices: ['summary', 'countries'].map((report) => ordered(report, ladderDay)),
});
const current = async () => (await reports.current()).filter((line) => line.includes(` ${property} `));
const lines = (...rows: string[]) =>
  ['countries', 'summary']
    .flatMap((report) => rows.map((row) => `${report} ${property} 2026-03-05 ${row}`))
    .sort();
const writes = ['rows', 'restatements', 'pulls'] as const;

describe('a pull that dies', () => {
  test.each(writes)('before it writes its %s leaves what was, and is made up for', async (write) => {
    const services = [tiny.service];
    const onWrite = (next: string) => {
      if (next === write) throw new Error('killed');
    };
    tiny.truth.rows = () => [tinyRow('IE', 1), tinyRow('NO', 2)];
    await expect(reports.pull(orderOf(), { services, onWrite })).rejects.toThrow('killed');
    expect(await current()).toEqual([]);
    expect(await reports.pull(orderOf(), { services })).toMatchObject({ kind: 'done', pulled: 2 });
    expect(await current()).toEqual(lines('IE 1', 'NO 2'));

    tiny.truth.rows = () => [tinyRow('IE', 5)];
    await expect(reports.pull(orderOf(2), { services, onWrite })).rejects.toThrow('killed');
    expect(await current()).toEqual(lines('IE 1', 'NO 2'));
    expect(await reports.pull(orderOf(2), { services })).toMatchObject({ pulled: 2, restated: 2 });
    expect(await current()).toEqual(lines('IE 5'));
    // Those of the attempt that died are written and do not show.
    const [changes] = await reports.query(
      `SELECT COUNT(*) AS n, COUNT(DISTINCT attempt_id) AS attempts FROM report_changes WHERE entity_id = '${property}'`,
    );
    expect(changes).toEqual({ n: 4, attempts: 2 });
  });
});

describe('two attempts side by side', () => {
  test('show once: the first that was published, with its changes', async () => {
    const [entity, report] = [tinyEntity(property), tinyReport('summary', [property])];
    const attempt = (views: number): Answered => {
      const rows = [tinyRow('IE', views)];
      return {
        slice: { entity, report, date: '2026-03-05' },
        ordered: ordered('summary'),
        pulled: {
          rows,
          totals: { views: BigInt(views) },
          apiTotals: {},
          reconciled: true,
          flags: [],
          timeZone: 'Etc/UTC',
          metadata: null,
          digest: digestOf(rows),
          cost: { calls: 1, requests: 1, tokens: 1, units: 0 },
        },
        previous: undefined,
        startedMs: startMs,
      };
    };
    let second: Promise<unknown> | undefined;
    await publishAttempts([attempt(1)], {
      ...reports.pullOptions,
      now: () => startMs + 1_000,
      async onWrite(write) {
        if (write === 'pulls')
          second = publishAttempts([attempt(2)], { ...reports.pullOptions, now: () => startMs });
        await second;
      },
    });
    expect(await current()).toEqual([`summary ${property} 2026-03-05 IE 2`]);
    expect(
      await reports.query(`SELECT COUNT(*) AS n FROM report_pulls WHERE entity_id = '${property}'`),
    ).toEqual([{ n: 2 }]);
  });

  test('of one slice in any order of arrival end with the highest step, once and whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            ladderDay: fc.constantFrom(1, 2, 3, 7),
            kill: fc.constantFrom(...writes, 'never', 'never'),
          }),
          {
            minLength: 2,
            maxLength: 5,
          },
        ),
        async (deliveries) => {
          property = `p${++tests}`;
          tiny = createTinyService([tinyEntity(property)], [tinyReport('summary', [property])]);
          let pulls = 0;
          tiny.truth.rows = () =>
            Array.from({ length: (pulls % 3) + 1 }, (_, index) => tinyRow(`C${index}`, pulls * 10 + index));
          let shown: string[] = [];
          for (const { ladderDay, kill } of deliveries) {
            pulls++;
            const onWrite = (write: string) => {
              if (write === kill) throw new Error('killed');
            };
            const order = { ...orderOf(), slices: [ordered('summary', ladderDay)] };
            const done = await reports
              .pull(order, { services: [tiny.service], onWrite })
              .catch(() => undefined);
            if (done?.pulled === 1) {
              shown = tiny.truth
                .rows(
                  { entity: tinyEntity(property), report: tinyReport('summary', [property]), date: '' },
                  0,
                )
                .map(
                  (row) => `summary ${property} 2026-03-05 ${row.dimensions.country} ${row.metrics.views}`,
                );
            }
            expect(await current()).toEqual(shown);
          }
        },
      ),
      { numRuns: 3 },
    );
  });
});

test('under a storm of faults, with orders pushed twice, each slice shows once and whole in the end', async () => {
  const served = await serveReports(reports, [tiny.service]);
  try {
    await served.subscribe();
    tiny.truth.rows = ({ date, report }, nowMs) => [
      tinyRow('IE', Number(date.slice(-2)) + Math.floor((nowMs - startMs) / dayMs)),
      tinyRow(report.key, 1),
    ];
    reports.pubsubFaults.redeliverRate = 0.4;
    reports.pubsubFaults.publishStoredThenLostRate = 0.3;
    reports.bigqueryFaults.appendFailRate = 0.2;
    reports.bigqueryFaults.appendStoredThenLostRate = 0.35;
    reports.storageFaults.unavailableRate = 0.1;
    reports.storageFaults.storedThenLostRate = 0.1;
    for (const hours of [0, 24, 48]) {
      reports.clock.nowMs = startMs + hours * hourMs;
      await Promise.all([1, 2].map(() => served.post(served.pollUrl, '', {})));
      await expect.poll(() => reports.backlog(), { timeout: 20_000, interval: 50 }).toBe(0);
    }
    Object.assign(reports.bigqueryFaults, { appendFailRate: 0, appendStoredThenLostRate: 0 });
    Object.assign(reports.storageFaults, { unavailableRate: 0, storedThenLostRate: 0 });
    Object.assign(reports.pubsubFaults, { publishStoredThenLostRate: 0 });
    // What a faulty tick could not order is lost for six hours at most.
    for (const hours of [56]) {
      reports.clock.nowMs = startMs + hours * hourMs;
      await served.post(served.pollUrl, '', {});
      await expect.poll(() => reports.backlog(), { timeout: 20_000, interval: 50 }).toBe(0);
    }
  } finally {
    await served.close();
  }
  const slices = await reports.query(`
    SELECT report, CAST(date AS STRING) AS date, row_count, UNIX_MILLIS(started_at) AS started
    FROM report_slices WHERE entity_id = '${property}' ORDER BY date, report`);
  // From the three days before the first tick to the last that was complete.
  expect(slices.map(({ date, report }) => `${date} ${report}`)).toEqual(
    ['03', '04', '05', '06', '07'].flatMap((day) =>
      ['countries', 'summary'].map((key) => `2026-03-${day} ${key}`),
    ),
  );
  const expected = slices.flatMap(({ report, date, started }) => {
    const passed = Math.floor((Number(started) - startMs) / dayMs);
    return [`IE ${Number(String(date).slice(-2)) + passed}`, `${report} 1`].map(
      (row) => `${report} ${property} ${date} ${row}`,
    );
  });
  expect(await current()).toEqual(expected.sort());
  // Appends were stored and done again: tables hold rows twice of which the views show one.
  const [twice] = await reports.query(`
    SELECT
      (SELECT COUNT(*) - COUNT(DISTINCT CONCAT(attempt_id, CAST(row_index AS STRING))) FROM report_rows)
      + (SELECT COUNT(*) - COUNT(DISTINCT attempt_id) FROM report_pulls)
      + (SELECT COUNT(*) - COUNT(DISTINCT call_id) FROM api_calls) AS n`);
  expect(Number(twice?.n)).toBeGreaterThan(0);
}, 90_000);
