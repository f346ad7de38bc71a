import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { noFaults } from '../../local/bigquery/faults.ts';
import { encodeEventBatch } from '../../shared/warehouse/event-batch.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { eventRow, type Push, quarantineRow, startLoad, wrap } from './start-for-test.ts';

type Load = Awaited<ReturnType<typeof startLoad>>;

const day = 86_400_000_000;
const ids = (rows: Record<string, unknown>[], name = 'event_id') => rows.map((row) => row[name]).toSorted();

describe('a batch', () => {
  let load: Load;
  beforeAll(async () => {
    load = await startLoad();
  });
  afterAll(() => load.close());

  test('is acknowledged once its rows are in their tables', async () => {
    const events = ['a', 'b', 'c'].map((id) => eventRow({ event_id: id, warnings: ['one', 'two'] }));
    const answer = await load.push({ batch: { events, quarantine: [quarantineRow()], state: [1] } });
    expect(answer.status).toBe(204);
    expect(ids(await load.rows('event_log'))).toEqual(['a', 'b', 'c']);
    expect(await load.rows('state_log')).toMatchObject([
      { event_id: 'b', project: 'shop', properties: '{"price":1}', warnings: ['one', 'two'] },
    ]);
    expect(await load.rows('quarantine')).toMatchObject([{ quarantine_id: 'q1', body: Buffer.from('{') }]);
    expect(load.logged).toEqual([]);
  });

  test.each([
    ['gzip', gzipSync],
    ['identity', Buffer.from],
  ] as const)('may be compressed as %s', async (encoding, compress) => {
    const batch = encodeEventBatch({
      events: [eventRow({ event_id: encoding })],
      quarantine: [],
      state: [],
      stateOnly: [],
    });
    const answer = await load.push({ data: compress(batch), attributes: { encoding } });
    expect(answer.status).toBe(204);
    expect(ids(await load.rows('event_log'))).toContain(encoding);
  });

  test('may be empty', async () => {
    expect((await load.push({})).status).toBe(204);
  });

  test('names the keys of an operation, and of one that was sent before there were keys has none', async () => {
    const operation = { kind: 'profile_set', name: undefined, properties: '{"":1,"a.b":2}' };
    const before = { events: [eventRow({ ...operation, event_id: 'v1' })], state: [0] };
    const now = { events: [eventRow({ ...operation, event_id: 'v2', keys: ['', 'a.b'] })], state: [0] };
    await load.push({ batch: before, attributes: { schema_version: '1' } });
    await load.push({ batch: now, attributes: { schema_version: '2' } });
    for (const table of ['event_log', 'state_log']) {
      const rows = await load.rows(table);
      expect(rows.find(({ event_id }) => event_id === 'v1')).toMatchObject({
        ...operation,
        name: null,
        keys: [],
      });
      expect(rows.find(({ event_id }) => event_id === 'v2')?.keys).toEqual(['', 'a.b']);
    }
  });

  test('of a newer schema version waits for a newer deployment', async () => {
    const answer = await load.push({ attributes: { schema_version: '999' } });
    expect(answer.status).toBe(503);
    expect(load.logged.at(-1)).toMatchObject({
      severity: 'ERROR',
      schema_version: '999',
      batch_id: 'batch-1',
    });
  });
});

describe('rows that BigQuery refuses', () => {
  let load: Load;
  beforeEach(async () => {
    load = await startLoad();
  });
  afterEach(() => load.close());

  const old = () =>
    eventRow({ event_id: 'old', occurred_at: Date.now() * 1_000 - 4_000 * day, batch_index: 7 });

  test('are quarantined as their own bytes, the rest stored, the message acknowledged', async () => {
    const row = old();
    const answer = await load.push({ batch: { events: [eventRow({ event_id: 'good' }), row] } });
    expect(answer.status).toBe(204);
    expect(ids(await load.rows('event_log'))).toEqual(['good']);
    expect(await load.rows('quarantine')).toMatchObject([
      {
        quarantine_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        project: 'shop',
        dialect: 'segment',
        batch_id: 'batch-1',
        request_hash: 'hash-1',
        method: 'APPEND',
        path: 'event_log',
        unit: 'row',
        body: row,
        body_bytes: row.length,
        place: 7,
        reason: 'refused_by_bigquery',
        detail: expect.stringContaining('outside the allowed bounds'),
        replayable: true,
        schema_version: currentSchemaVersion,
      },
    ]);
    expect(load.logged).toMatchObject([{ severity: 'WARNING', quarantined: 1 }]);
    expect(JSON.stringify(load.logged)).not.toContain('bought');
  });

  test('have the same id at every delivery', async () => {
    const push = { batch: { events: [old()] } };
    await load.push(push);
    await load.push(push);
    expect(new Set(ids(await load.rows('quarantine'), 'quarantine_id')).size).toBe(1);
  });

  test('have another id at every replay, so that what is refused again is open again', async () => {
    const batch = { events: [old()] };
    for (const replay_id of ['', 'first', 'first', 'second']) {
      const attributes: Record<string, string> = replay_id === '' ? {} : { replay_id };
      expect((await load.push({ batch, attributes })).status).toBe(204);
    }
    const rows = await load.rows('quarantine');
    expect(rows).toHaveLength(4);
    expect(new Set(ids(rows, 'quarantine_id')).size).toBe(3);
  });

  test('are judged per table', async () => {
    await load.push({ batch: { events: [old(), eventRow()], state: [0, 1] } });
    expect(ids(await load.rows('state_log'))).toEqual(['e1', 'old']);
    expect(ids(await load.rows('event_log'))).toEqual(['e1']);
    expect(ids(await load.rows('quarantine'), 'path')).toEqual(['event_log']);
  });

  test('do not fail the messages that shared their append', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        load.push({ batch: { events: [index % 3 === 0 ? old() : eventRow({ event_id: `e${index}` })] } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(204));
    expect(await load.rows('event_log')).toHaveLength(8);
    expect(await load.rows('quarantine')).toHaveLength(4);
  });

  test('of quarantine itself are wrapped once, with a time that a partition takes', async () => {
    const row = quarantineRow({ received_at: Date.now() * 1_000 - 4_000 * day });
    expect((await load.push({ batch: { quarantine: [row] } })).status).toBe(204);
    expect(await load.rows('quarantine')).toMatchObject([{ unit: 'row', path: 'quarantine', body: row }]);
  });

  test('keep the message where they cannot be quarantined', async () => {
    await load.deleteTable('quarantine');
    expect((await load.push({ batch: { events: [old()] } })).status).toBe(503);
    await load.createTable('quarantine');
    expect((await load.push({ batch: { events: [old()] } })).status).toBe(204);
  });
});

describe('a message that is not ours', () => {
  let load: Load;
  beforeAll(async () => {
    load = await startLoad();
  });
  afterAll(() => load.close());

  const bomb = () => gzipSync(Buffer.alloc(40 * 1024 * 1024));
  test.each<[string, Push]>([
    ['is not compressed as it says', { data: Buffer.from('plain') }],
    ['is no batch', { data: Buffer.from([0xff, 0xff]), attributes: { encoding: 'identity' } }],
    ['names no encoding', { attributes: { encoding: 'brotli' } }],
    ['names no schema version', { attributes: { schema_version: 'x' } }],
    ['breaks off', { data: gzipSync(randomBytes(1_000)).subarray(0, 500), attributes: { encoding: 'gzip' } }],
    ['inflates without end', { data: bomb(), attributes: { encoding: 'gzip' } }],
    [
      'names a state row that is not there',
      { data: Buffer.from([0x1a, 1, 5]), attributes: { encoding: 'identity' } },
    ],
  ])('because it %s is quarantined and acknowledged', async (_, push) => {
    const messageId = `not-ours-${Math.random()}`;
    const publish = () => load.push({ ...push, messageId });
    expect((await publish()).status).toBe(204);
    expect((await publish()).status).toBe(204);
    const rows = (await load.rows('quarantine')).filter((row) => String(row.detail) !== '');
    const copies = rows.slice(-2);
    expect(new Set(copies.map((row) => row.quarantine_id)).size).toBe(1);
    expect(copies[0]).toMatchObject({
      reason: 'undecodable_message',
      unit: 'request',
      method: 'PUBLISH',
      path: 'projects/local/subscriptions/events-load',
      project: 'shop',
      body: Buffer.from(wrap(push).message.data, 'base64'),
    });
    expect(JSON.parse(String(copies[0]?.headers))).toMatchObject({ batch_id: 'batch-1', ...push.attributes });
  });

  test('too large for a row is quarantined by its beginning', async () => {
    const data = randomBytes(9_500_000);
    expect((await load.push({ data })).status).toBe(204);
    const large = (await load.rows('quarantine')).filter((row) => row.body_bytes === data.length);
    expect(large).toMatchObject([{ body: data.subarray(0, 65_536), replayable: false }]);
  });
});

describe('who may push', () => {
  let load: Load;
  beforeAll(async () => {
    load = await startLoad();
  });
  afterAll(() => load.close());

  test.each([
    ['without a token', null, 401],
    ['for another audience', { audience: 'https://other.example.com' }, 403],
    ['as another account', { email: 'someone@example.com' }, 403],
    ['with an email nobody verified', { emailVerified: false }, 403],
    ['with a token that has expired', { expiresInSeconds: -60 }, 403],
  ])('not one %s', async (_, token, status) => {
    const answer = await load.push({ batch: { events: [eventRow()] }, token });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code: expect.any(String) } });
    expect(await load.rows('event_log')).toEqual([]);
  });

  test('is asked before the body is read', async () => {
    expect((await load.post('x'.repeat(15_000_000), null)).status).toBe(401);
  });

  test('what is no envelope is refused', async () => {
    expect((await load.post('{}')).status).toBe(400);
    expect((await load.post('')).status).toBe(400);
    expect(await load.post('x'.repeat(15_000_000)).then(({ status }) => status)).toBe(413);
  });

  test('anybody may ask whether it is up', async () => {
    expect((await fetch(load.url)).status).toBe(200);
    expect((await fetch(`${load.url}healthz`)).status).toBe(200);
    expect((await fetch(`${load.url}else`)).status).toBe(404);
    expect((await fetch(load.url, { method: 'PUT' })).status).toBe(405);
  });
});

describe('when BigQuery fails', () => {
  const faults = noFaults();
  let load: Load;
  beforeEach(async () => {
    Object.assign(faults, noFaults());
    // Answers that are lost are not waited for; what is then appended twice is told apart by its id.
    load = await startLoad({ faults, limits: { appendTimeoutMs: 500 } });
  });
  afterEach(() => load.close());

  const pushAll = (count: number, hasty = false) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        load.push({ batch: { events: [eventRow({ event_id: `e${index}` })], state: [0] }, hasty }),
      ),
    );

  test('every message is acknowledged in the end, and no row is missing', async () => {
    Object.assign(faults, { appendFailRate: 0.3, appendStoredThenLostRate: 0.3, appendDelayMs: 3 });
    const answers = await pushAll(60);
    expect(answers.every(({ status }) => status === 204)).toBe(true);
    for (const table of ['event_log', 'state_log']) {
      expect(new Set(ids(await load.rows(table))).size).toBe(60);
    }
  });

  test('messages go back when the time is over, and are stored at the next delivery', async () => {
    faults.refuseAppends = true;
    const answers = await pushAll(5, true);
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(503));
    expect(load.logged).toHaveLength(5);
    expect(load.logged).toMatchObject(Array(5).fill({ severity: 'WARNING', permanent: false }));
    expect(await load.rows('event_log')).toEqual([]);
    faults.refuseAppends = false;
    expect((await pushAll(5)).map(({ status }) => status)).toEqual(Array(5).fill(204));
    expect(new Set(ids(await load.rows('event_log'))).size).toBe(5);
  });

  test('a missing table keeps the message, tells the operator, and quarantines nothing', async () => {
    await load.deleteTable('state_log');
    const answer = await load.push({ batch: { events: [eventRow()], state: [0] } });
    expect(answer.status).toBe(503);
    expect(load.logged).toMatchObject([{ severity: 'ERROR', table: 'state_log', permanent: true }]);
    expect(await load.rows('quarantine')).toEqual([]);
    await load.createTable('state_log');
    expect((await load.push({ batch: { events: [eventRow()], state: [0] } })).status).toBe(204);
  });
});
