import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accepting, event, ingest, received, refusing, settingsOf } from './quarantined-for-test.ts';
import { audience, eventsOf, idsOf, type StartedReplay, startReplay } from './start-for-test.ts';

const events = (count: number, given: object = {}): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, place) => event({ xwho: `visitor-${place % 7}`, ...given })),
  );

/** A request of its own, some microseconds after the one before. */
let lastRequest = 0;
const nextRequest = () => {
  const number = ++lastRequest;
  return {
    ...received,
    batchId: String(number).padStart(32, '0'),
    receivedAt: received.receivedAt + number,
  };
};

let replay: StartedReplay;
beforeAll(async () => {
  replay = await startReplay();
});
afterAll(() => replay.close());
beforeEach(() => replay.setSettings(accepting));

/** Each test has a project of its own. */
let lastProject = 0;
const nextProject = (): string => `project-${++lastProject}`;
const of = (project: string) => `project = '${project}'`;

/** Calls slice after slice, as the command does. */
async function replayAll(body: object) {
  const groups: unknown[] = [];
  let after: unknown;
  let slices = 0;
  do {
    const answer = await replay.call('/replay', { ...body, ...(after === undefined ? {} : { after }) });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer));
    groups.push(...(answer.body.groups as unknown[]));
    after = answer.body.after;
    slices++;
  } while (after !== null);
  return { groups, slices };
}

const outcomesOf = (project: string) =>
  replay.query(
    `SELECT outcome, reason, COUNT(*) AS found FROM quarantine_outcomes WHERE ${of(project)} GROUP BY outcome, reason ORDER BY outcome, reason`,
  );
const openOf = async (project: string) =>
  Number((await replay.query(`SELECT COUNT(*) AS open FROM quarantine_open WHERE ${of(project)}`))[0]?.open);
const hexOf = (rows: readonly Uint8Array[]) => rows.map((row) => Buffer.from(row).toString('hex')).sort();

describe('a replay', () => {
  test('in slices that cut requests publishes each event once, as direct acceptance would, and leaves none open', async () => {
    const appid = nextProject();
    const bodies = [20, 12, 1].map((count) => events(count, { appid }));
    const requests = bodies.map((body) => ({ body, request: nextRequest() }));
    const direct = requests.flatMap(({ body, request }) => ingest(body, accepting, request).events);
    for (const { body, request } of requests) {
      await replay.quarantine(ingest(body, refusing, request).quarantine);
    }
    const where = `reason = 'unknown_project' AND ${of(appid)}`;
    const { slices } = await replayAll({ where, limit: 9 });
    expect(slices).toBe(4);
    expect(hexOf(eventsOf(await replay.published()))).toEqual(hexOf(direct));
    expect(await outcomesOf(appid)).toEqual([{ outcome: 'accepted', reason: null, found: 33 }]);
    expect(await openOf(appid)).toBe(0);
  });

  test('that is run again changes nothing: neither what was accepted nor what is refused as before', async () => {
    const appid = nextProject();
    const where = of(appid);
    const body = JSON.stringify([event({ appid }), event({ appid, xwho: 7 })]);
    await replay.quarantine(ingest(body, refusing, nextRequest()).quarantine);
    const first = await replayAll({ where });
    expect(first.groups).toEqual([
      { reason: 'unknown_project', outcome: 'accepted', rows: 1, events: 1 },
      { reason: 'unknown_project', outcome: 'refused', refusedFor: 'bad_xwho', rows: 1, events: 0 },
    ]);
    expect(await replay.published()).toHaveLength(1);
    const outcomes = await outcomesOf(appid);
    expect(outcomes).toEqual([
      { outcome: 'accepted', reason: null, found: 1 },
      { outcome: 'refused', reason: 'bad_xwho', found: 1 },
    ]);
    const second = await replayAll({ where });
    expect(second.groups).toEqual([
      { reason: 'unknown_project', outcome: 'refused', refusedFor: 'bad_xwho', rows: 1, events: 0 },
    ]);
    expect(await replay.published()).toEqual([]);
    expect(await outcomesOf(appid)).toEqual(outcomes);
    const open = `SELECT reason, last_reason, last_detail FROM quarantine_open WHERE ${where}`;
    expect(await replay.query(open)).toEqual([
      { reason: 'unknown_project', last_reason: 'bad_xwho', last_detail: expect.any(String) },
    ]);
  });

  test('that refuses a row for another reason than the last one says so', async () => {
    const appid = nextProject();
    await replay.quarantine(ingest(events(1, { appid }), refusing, nextRequest()).quarantine);
    replay.setSettings(settingsOf({ projects: { [appid]: { dialects: ['segment'] } } }));
    await replayAll({ where: of(appid) });
    replay.setSettings(refusing);
    await replayAll({ where: of(appid) });
    expect((await outcomesOf(appid)).map(({ reason }) => reason)).toEqual([
      'dialect_not_allowed',
      'unknown_project',
    ]);
  });

  test('without effect tells what would become of the rows, and neither publishes nor writes', async () => {
    const appid = nextProject();
    const body = JSON.stringify([event({ appid }), event({ appid }), event({ appid, xwhat: '' })]);
    await replay.quarantine(ingest(body, refusing, nextRequest()).quarantine);
    const answer = await replay.call('/replay', { where: of(appid), dryRun: true });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        dryRun: true,
        rows: 3,
        found: { rows: 3, notReplayable: 0, reasons: [{ reason: 'unknown_project', rows: 3 }] },
        groups: [
          { outcome: 'accepted', rows: 2, events: 2 },
          { outcome: 'refused', refusedFor: 'bad_xwhat', rows: 1 },
        ],
        after: null,
      },
    });
    expect(await replay.published()).toEqual([]);
    expect(await outcomesOf(appid)).toEqual([]);
  });

  test('leaves alone what came into quarantine after it began, and what does not fit the condition', async () => {
    const appid = nextProject();
    const later = { ...nextRequest(), receivedAt: (Date.now() + 3_600_000) * 1_000 };
    await replay.quarantine([
      ...ingest(events(1, { appid }), refusing, later).quarantine,
      ...ingest(events(2, { appid, xwho: 7 }), accepting, nextRequest()).quarantine,
      ...ingest(events(3, { appid }), refusing, nextRequest()).quarantine,
    ]);
    const where = `${of(appid)} AND reason != 'bad_xwho' -- nobody can mend that`;
    const { groups } = await replayAll({ where });
    expect(groups).toMatchObject([{ outcome: 'accepted', rows: 3 }]);
    expect(await openOf(appid)).toBe(3);
  });

  test('counts what is there only in its beginning and leaves it', async () => {
    const appid = nextProject();
    const wide = event({ appid, xwho: 7, xcontext: { wide: 'x'.repeat(5_100_000) } });
    const body = JSON.stringify([wide, event({ appid })]);
    await replay.quarantine(ingest(body, refusing, nextRequest()).quarantine);
    const answer = await replay.call('/replay', { where: of(appid) });
    expect(answer.body).toMatchObject({ rows: 1, found: { rows: 1, notReplayable: 1 }, after: null });
    expect(await openOf(appid)).toBe(1);
  });

  test('beside another one of the same rows shows each event once', async () => {
    const appid = nextProject();
    const body = events(20, { appid });
    for (let number = 0; number < 3; number++) {
      await replay.quarantine(ingest(body, refusing, nextRequest()).quarantine);
    }
    await replay.published();
    await Promise.all([1, 2].map(() => replayAll({ where: of(appid), limit: 25 })));
    const ids = idsOf(eventsOf(await replay.published()));
    expect([...new Set(ids)]).toEqual(idsOf(ingest(body, accepting).events));
    expect(await openOf(appid)).toBe(0);
  });
});

describe('a replay that is interrupted', () => {
  test('before Pub/Sub has acknowledged writes no outcome, and the next one brings every event', async () => {
    const appid = nextProject();
    const request = nextRequest();
    await replay.quarantine(ingest(events(5, { appid }), refusing, request).quarantine);
    replay.pubsubFaults.publishUnavailableRate = 1;
    const failing = () => replay.call('/replay', { where: of(appid) });
    expect(await replay.impatiently(failing)).toMatchObject({
      status: 503,
      body: { error: { message: expect.stringContaining('Pub/Sub did not acknowledge') } },
    });
    replay.pubsubFaults.publishUnavailableRate = 0;
    expect(await outcomesOf(appid)).toEqual([]);
    await replayAll({ where: of(appid) });
    const { events: direct } = ingest(events(5, { appid }), accepting, request);
    expect(hexOf(eventsOf(await replay.published()))).toEqual(hexOf(direct));
  });

  test('between the acknowledgement and the outcomes publishes the same rows again at the next', async () => {
    const appid = nextProject();
    const request = nextRequest();
    await replay.quarantine(ingest(events(5, { appid }), refusing, request).quarantine);
    replay.bigqueryFaults.refuseAppends = true;
    const failing = () => replay.call('/replay', { where: of(appid) });
    expect(await replay.impatiently(failing)).toMatchObject({
      status: 503,
      body: { error: { message: expect.stringContaining('quarantine_outcomes') } },
    });
    replay.bigqueryFaults.refuseAppends = false;
    const { events: direct } = ingest(events(5, { appid }), accepting, request);
    expect(hexOf(eventsOf(await replay.published()))).toEqual(hexOf(direct));
    expect(await openOf(appid)).toBe(5);
    await replayAll({ where: of(appid) });
    expect(hexOf(eventsOf(await replay.published()))).toEqual(hexOf(direct));
    expect(await openOf(appid)).toBe(0);
  });
});

describe('a call', () => {
  test.each([
    ['/replay', null, 401],
    ['/drain', null, 401],
    ['/elsewhere', null, 401],
    ['/replay', { audience: 'https://other.example.com' }, 403],
    ['/drain', { email: 'someone@example.com' }, 403],
    ['/drain', { emailVerified: false }, 403],
    ['/elsewhere', { audience }, 404],
  ])('of %s with the token %j is answered %i', async (path, token, status) => {
    expect((await replay.call(path, { where: 'TRUE' }, token)).status).toBe(status);
  });

  test('of nobody is answered where it only asks whether the function lives', async () => {
    expect((await fetch(`${replay.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${replay.url}/replay`)).status).toBe(401);
  });

  test.each([
    ['{', 'expected object'],
    [{}, 'where'],
    [{ where: '' }, 'the condition is empty'],
    [{ where: 'TRUE', limit: 0 }, 'limit'],
    [{ where: 'TRUE', limit: 1_001 }, 'limit'],
    [{ where: 'TRUE', after: 'nowhere' }, 'must be what the slice before answered'],
    [{ where: 'TRUE', replayId: 'a b' }, 'replayId'],
    [{ where: 'TRUE', dryrun: true }, 'dryrun'],
    [{ where: 'TRUE) OR (TRUE' }, 'a ) closes what the condition did not open'],
    [{ where: 'TRUE); DROP TABLE quarantine; SELECT (1' }, 'a ) closes'],
    [{ where: "reasn = 'x'" }, 'Unrecognized name: reasn at [1:1]'],
    [{ where: 'TRUE AND\n  reason = 7' }, '[2:'],
    [{ where: 'reason' }, 'BOOL'],
  ])('with the body %j is refused, saying what is wrong', async (body, problem) => {
    const answer = await replay.call('/replay', body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_argument' } } });
    expect(JSON.stringify(answer.body)).toContain(problem);
  });

  test('under settings that are invalid is refused, since they decide', async () => {
    replay.setSettings('settings.json is invalid: projects');
    expect(await replay.call('/replay', { where: 'TRUE' })).toMatchObject({
      status: 409,
      body: { error: { message: 'SETTINGS: settings.json is invalid: projects' } },
    });
  });

  test('leaves no line that tells what was sent', async () => {
    const appid = nextProject();
    await replay.quarantine(
      ingest(events(1, { appid, xwhat: 'bought_secretly' }), refusing, nextRequest()).quarantine,
    );
    await replayAll({ where: `${of(appid)} AND detail != 'whispered'` });
    expect(replay.logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(replay.logged)).not.toMatch(/bought_secretly|visitor|whispered/);
  });
});
