import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveReports } from '../functions/reports/serve-for-test.ts';
import { createTinyService, tinyEntity, tinyReport } from '../functions/reports/service-for-test.ts';
import { type StartedReports, startReports } from '../functions/reports/start-for-test.ts';

let reports: StartedReports;
let served: Awaited<ReturnType<typeof serveReports>>;
const tiny = createTinyService(
  [tinyEntity('100'), tinyEntity('200')],
  [tinyReport('summary', ['100', '200']), tinyReport('weekly', ['100'], { grain: 'week' })],
);

beforeAll(async () => {
  reports = await startReports({ nowMs: Date.parse('2026-03-06T05:00:00Z') });
  served = await serveReports(reports, [tiny.service]);
  await served.subscribe();
}, 60_000);
afterAll(async () => {
  await served.close();
  await reports.close();
});

async function run(...args: string[]) {
  const child = spawn(process.execPath, ['commands/reports.ts', ...args], {
    env: { ...process.env, REPORTS_URL: served.pollUrl, ID_TOKEN: await served.operatorToken() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code };
}

describe('npm run reports', () => {
  test('-- backfill tells what it takes, reads all that is complete, and the second time nothing', async () => {
    const dates = ['--from', '2026-02-23', '--to', '2026-03-05'];
    const dry = await run('backfill', ...dates, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: '0 of 23 slices are read; 23 are not read yet.\n' });
    expect(dry.stderr).toBe(
      '23 of 23 slices are to be read: about 5 calls, 23 report requests, 230 tokens of Google Analytics.\n',
    );
    expect(tiny.seen.probes).toBe(0);

    const first = await run('backfill', ...dates);
    // Of the last day it is too early.
    expect(first).toMatchObject({
      code: 0,
      stdout: '21 of 23 slices are read; 2 wait for their day to be complete.\n',
    });
    expect(first.stderr).toContain('ordering 2026-02-23 to 2026-03-05, 1 of 1\n');
    expect(first.stderr).toContain('[###########################...] 91%  21 of 23 slices\n');
    const pulls = tiny.seen.batches.length;
    expect(await run('backfill', ...dates)).toMatchObject({ code: 0, stdout: first.stdout });
    expect(tiny.seen.batches).toHaveLength(pulls);
  }, 40_000);

  test('-- status tells of every day, and explain why', async () => {
    const status = await run('status', '--from', '2026-03-01', '--to', '2026-03-05', '--only', 'site-100');
    expect(status).toMatchObject({ code: 0, stderr: '' });
    const rows = status.stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(rows[1]).toEqual(['site-100', '100', '2026-03-05', 'waiting', 'R0_too_early', '0/1']);
    expect(rows[2]).toEqual(['site-100', '100', '2026-03-04', 'pulled', 'R1_full', '1/1']);
    expect(rows[5]).toEqual(['site-100', '100', '2026-03-01', 'pulled', 'R1_full', '2/2']);

    const explained = await run('explain', 'site-100', '2026-03-01');
    expect(explained.stdout).toContain('2026-03-06 05:00:00 UTC available: Every hour of the day has data');
    expect(explained.stdout).toMatch(/seen: .*the day is one of Etc\/UTC/);
    expect(explained.stdout).toMatch(/weekly was read once; 2 rows as of day \d after its end\./);
    expect((await run('explain', 'site-100', '2026-01-01')).stdout).toContain('It was never judged');
  }, 30_000);

  test('-- status tells what a quota defers and until when, and what is left of it', async () => {
    const pull = (date: string, tokensPerHour: number) => {
      tiny.truth.quotaRemaining = { tokensPerHour };
      const slice = { entityId: '200', report: 'summary', date, ladderDay: 1, rule: 'R1_full', flags: [] };
      const order = { version: 1 as const, source: 'tiny', probeGroup: '200' };
      return reports.pull(
        { ...order, slices: [{ ...slice, cause: 'backfill' as const }] },
        { services: [tiny.service] },
      );
    };
    expect(await pull('2026-01-10', 4_000)).toMatchObject({ pulled: 1 });
    expect(await pull('2026-01-11', 800)).toMatchObject({ pulled: 1 });
    // A fifth of 4,010 is left to others: of what the first answer left, and its own ten.
    expect(await pull('2026-01-12', 800)).toMatchObject({ deferred: 1 });

    const status = await run('status', '--from', '2026-01-12', '--to', '2026-01-12');
    expect(status.stdout).toContain(
      'site-200 (200): The quota tokensPerHour of 200 is used up to its reserve; pulls wait. Deferred until 2026-03-06 06:00:00 UTC.\n',
    );
    expect(status.stdout).toMatch(
      /^200 +tokensPerHour +800 +4,010 +2026-03-06 05:00:00 UTC +2026-03-06 06:00:00 UTC$/m,
    );
    reports.clock.nowMs += 3_600_000;
    const later = await run('status', '--from', '2026-01-12', '--to', '2026-01-12');
    expect(later.stdout).not.toMatch(/Deferred|tokensPerHour/);
    reports.clock.nowMs -= 3_600_000;
  }, 30_000);

  test.each([
    [['backfill', '--from', 'yesterday'], '--from must be a day, as 2026-03-01, not "yesterday".'],
    [['backfill', '--from', '2026-03-02', '--to', '2026-03-01'], '--from must not be after --to.'],
    [['explain', 'nobody', '2026-03-01'], 'The configuration has no site or channel nobody.'],
    [['explain'], 'SITE is missing.'],
    [['status', '--url', 'here'], '--url (REPORTS_URL) must be a URL, not "here".'],
  ])('-- %s says what is wrong', async (args, message) => {
    expect(await run(...args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(message),
      stdout: '',
    });
  });

  test.each(['status', 'backfill', 'explain'])('-- %s --help tells its flags', async (name) => {
    expect((await run(name, '--help')).stdout).toMatch(new RegExp(`Usage: npm run reports -- ${name} `));
  });
});
