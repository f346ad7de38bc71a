import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import { packMessages } from '../shared/batches/pack-messages.ts';
import { openBucket } from '../shared/google/cloud-storage.ts';
import { createPublisher, type Message } from '../shared/google/pubsub-publisher.ts';
import { spilledContentType, toSpilledObject } from '../shared/spill/spilled-message.ts';
import { encodeRow } from '../shared/warehouse/encode-row.ts';
import type { EventLogRow } from '../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../shared/warehouse/row-buffer.ts';
import { eventLog } from '../shared/warehouse/tables/index.ts';
import { post } from './http-post.ts';
import { runCommand, startCommand } from './run-command.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// What an operator goes through: settings that keep a project out, a thousand events in quarantine, and back.
const folder = mkdtempSync(join(tmpdir(), 'tributary-replay-'));
const settingsFile = join(folder, 'settings.json');
let cloud: LocalCloud;
let warehouse: Warehouse;

const decideSettings = (projects: object) => writeFileSync(settingsFile, JSON.stringify({ projects }));
const keptOut = { dialects: ['segment'] };

beforeAll(async () => {
  decideSettings({ shop: keptOut, mill: keptOut });
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    settings: settingsFile,
  });
  warehouse = warehouseOf(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

const now = Date.now();

/** Requests of events, among them true twins, and twins whose keys stand in another order. */
function requestsOf(project: string, requests: number, events: number): string[] {
  return Array.from({ length: requests }, (_, request) => {
    const elements = Array.from({ length: events }, (_, place) => {
      const context = { request, item: `item-${place % (events - 10)}` };
      const xcontext = place % 2 === 0 ? context : Object.fromEntries(Object.entries(context).reverse());
      const xwho = `visitor-${(place % (events - 10)) % 13}`;
      return { appid: project, xwho, xwhat: 'view_item', xwhen: now - request, xcontext };
    });
    return JSON.stringify(elements);
  });
}

async function send(requests: readonly string[]): Promise<void> {
  for (const body of requests) {
    const answer = await post(`${cloud.urls.ingest}/up`, body, 30_000);
    if (answer.body !== '{"code":200}') throw new Error(`${answer.status} ${answer.body}`);
  }
  await untilDelivered(cloud);
}

const rowsOf = (project: string) =>
  warehouse.query(
    `SELECT event_id, batch_id, batch_index, UNIX_MICROS(received_at) AS received_at FROM events WHERE project = '${project}' ORDER BY batch_id, batch_index`,
  );
const count = (table: string, where: string) =>
  warehouse.number(`SELECT COUNT(*) FROM ${table} WHERE ${where}`);

describe('a thousand events of a project that the settings keep out', () => {
  const requests = requestsOf('shop', 10, 100);

  test('go to quarantine, and a dry run tells what a replay would do without doing it', async () => {
    await send(requests);
    expect(await count('quarantine_open', "project = 'shop' AND reason = 'dialect_not_allowed'")).toBe(1000);
    const dryRun = () =>
      runCommand(cloud, 'replay', '--where', "project = 'shop'", '--dry-run', '--format', 'json');
    const before = await dryRun();
    expect({ ...before, stdout: JSON.parse(before.stdout) }).toMatchObject({
      code: 0,
      stdout: { dryRun: true, rows: 1000, events: 0, groups: [{ outcome: 'refused', rows: 1000 }] },
    });
    decideSettings({ shop: {}, mill: keptOut });
    expect(JSON.parse((await dryRun()).stdout)).toMatchObject({
      rows: 1000,
      events: 1000,
      complete: true,
      groups: [{ reason: 'dialect_not_allowed', outcome: 'accepted', rows: 1000, events: 1000 }],
    });
    expect(await count('event_log', 'TRUE')).toBe(0);
    expect(await count('quarantine_outcomes', 'TRUE')).toBe(0);
  });

  test('come into events by a replay, each once, at their places and with their own time of receiving', async () => {
    const kept = await warehouse.query(
      `SELECT batch_id, place AS batch_index, UNIX_MICROS(received_at) AS received_at FROM quarantine_open WHERE project = 'shop' ORDER BY batch_id, place`,
    );
    const { stdout, code } = await runCommand(cloud, 'replay', '--where', "project = 'shop'");
    expect({ stdout, code }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/dialect_not_allowed +accepted +1,000 +1,000\n\n1,000 events are on/),
    });
    await untilDelivered(cloud);
    const rows = await rowsOf('shop');
    expect(new Set(rows.map((row) => row.event_id)).size).toBe(1000);
    expect(rows.map(({ event_id: _, ...row }) => row)).toEqual(kept);
    expect(await count('quarantine_open', "project = 'shop'")).toBe(0);
  });

  test('have the ids that they have when they are accepted at once', async () => {
    const replayed = (await rowsOf('shop')).map((row) => row.event_id).sort();
    // With the mended settings from its first request on.
    await cloud.restart('ingest');
    await send(requests);
    // A delivery may come twice, under the batch that it had.
    const both = await warehouse.query(
      "SELECT event_id, COUNT(DISTINCT batch_id) AS batches FROM event_log WHERE project = 'shop' GROUP BY event_id ORDER BY event_id",
    );
    expect(both).toEqual(replayed.map((event_id) => ({ event_id, batches: 2 })));
  });

  test('are not replayed a second time', async () => {
    const [outcomes, events] = [await count('quarantine_outcomes', 'TRUE'), await count('event_log', 'TRUE')];
    expect(await runCommand(cloud, 'replay', '--where', "project = 'shop'")).toMatchObject({
      code: 0,
      stdout: 'Nothing to replay: no open row of quarantine fits.\n',
    });
    expect(await count('quarantine_outcomes', 'TRUE')).toBe(outcomes);
    expect(await count('event_log', 'TRUE')).toBe(events);
  });
});

test('replays side by side, one of them killed with its function, bring each event once', async () => {
  await send(requestsOf('mill', 4, 60));
  decideSettings({ shop: {}, mill: {} });
  const killed = startCommand(cloud, 'replay', '--where', "project = 'mill'", '--limit', '100');
  const exited = once(killed, 'exit');
  await wait(1_000);
  await cloud.kill('replay');
  await exited;
  await cloud.serving('replay');
  const replays = [1, 2].map(() => runCommand(cloud, 'replay', '--where', "project = 'mill'"));
  for (const { code, stderr } of await Promise.all(replays))
    expect({ code, stderr }).toMatchObject({ code: 0 });
  await untilDelivered(cloud);
  const rows = await rowsOf('mill');
  expect(rows).toHaveLength(240);
  expect(await count('quarantine_open', "project = 'mill'")).toBe(0);
});

describe('npm run replay', () => {
  test('without a condition tells what is open, and what to say', async () => {
    expect(await runCommand(cloud, 'replay')).toMatchObject({
      code: 0,
      stdout: 'Nothing to replay: no row of quarantine is open.\n',
    });
    await send(['[{"appid":"shop","xwho":7}]']);
    const { code, stderr } = await runCommand(cloud, 'replay');
    expect(code).toBe(1);
    expect(stderr).toContain(`--where "reason = 'bad_xwho'" or --all`);
  });

  test('with --all tells what is refused again, and why', async () => {
    const { code, stdout } = await runCommand(cloud, 'replay', '--all');
    expect(code).toBe(0);
    expect(stdout).toMatch(/bad_xwho +refused +bad_xwho +1 +0/);
  });

  test.concurrent.each([
    [['--where', 'reasn = 1'], 'where: Unrecognized name: reasn at [1:1]'],
    [['--where', 'TRUE)'], 'where: a ) closes'],
    [['--where', 'TRUE', '--all'], 'exclude each other'],
    [['--all', '--limit', '0'], '--limit must be'],
    [['--all', '--format', 'csv'], '--format must be'],
    [['--al'], "Unknown option '--al'"],
    [['--all', '--url', 'nowhere'], '--url (REPLAY_URL) must be a URL'],
    [['--all', '--url', 'http://127.0.0.1:1'], 'Nothing answers at http://127.0.0.1:1'],
  ])('with %j fails and says why', async (args, problem) => {
    const { code, stderr, stdout } = await runCommand(cloud, 'replay', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(problem);
  });
});

const buffer = createRowBuffer();
let lastEvent = 0;

/** A message of one event, as ingest publishes it. */
function nextMessage(project: string): Message {
  const number = ++lastEvent;
  const batchId = number.toString(16).padStart(32, '0');
  const row: EventLogRow = {
    event_id: batchId,
    request_hash: 'hash',
    project,
    dialect: 'analysys',
    kind: 'track',
    name: 'bought',
    occurred_at: (now + number) * 1_000,
    time_source: 'sender',
    received_at: now * 1_000,
    debug: 0,
    batch_id: batchId,
    batch_index: 0,
  };
  buffer.reset();
  encodeRow(buffer, eventLog, { ...row });
  const events = [Buffer.from(buffer.bytes(0, buffer.length))];
  const [message] = packMessages(
    { events, quarantine: [], state: [], stateOnly: [] },
    { batchId, dialect: 'analysys', project },
  );
  return message!;
}

describe('spilled batches', () => {
  test('are drained by the scheduler, two ticks at once bring each event once', async () => {
    const bucket = openBucket('tributary-spill', { ...cloud.environment });
    const messages = Array.from({ length: 50 }, () => nextMessage('spilled'));
    for (const message of messages) {
      const { name, data, metadata } = toSpilledObject(message, 0);
      await bucket.write({ name, data, metadata, contentType: spilledContentType }, '0', 10_000);
    }
    const runs = await Promise.all([cloud.runJob('replay-drain'), cloud.runJob('replay-drain')]);
    expect(runs).toMatchObject([{ status: 200 }, { status: 200 }]);
    expect((await bucket.list({ most: 100 }, 10_000)).objects).toEqual([]);
    bucket.close();
    await untilDelivered(cloud);
    expect(await count('events', "project = 'spilled'")).toBe(50);
  });
});

describe('npm run redrive', () => {
  const traces = {
    CloudPubSubDeadLetterSourceDeliveryCount: '100',
    CloudPubSubDeadLetterSourceSubscription: 'events-load',
    CloudPubSubDeadLetterSourceSubscriptionProject: 'local',
    CloudPubSubDeadLetterSourceTopicPublishTime: '2026-01-01T00:00:00.000+00:00',
  };

  async function deadLetter(messages: readonly Message[]): Promise<void> {
    const publisher = createPublisher('local', 'events-dead', { ...cloud.environment });
    const dead = messages.map(({ data, attributes }) => ({ data, attributes: { ...attributes, ...traces } }));
    await publisher.send(dead, 30_000);
    await publisher.close();
  }
  const held = async () =>
    (await cloud.counts()).subscriptions['projects/local/subscriptions/events-dead-hold']?.backlog;

  test('has nothing to do where nothing was dead-lettered, and warns of nothing', async () => {
    expect(await runCommand(cloud, 'redrive')).toEqual({
      code: 0,
      stdout: 'Nothing to redrive: events-dead-hold is empty.\n',
      stderr: '',
    });
  });

  test('brings every message back to events, without the traces of dead-lettering', async () => {
    await deadLetter(Array.from({ length: 230 }, () => nextMessage('dead')));
    // One that load cannot decode shows with its attributes in quarantine.
    await deadLetter([{ data: Buffer.from('?'), attributes: { batch_id: 'broken', color: 'blue' } }]);
    // Publishing may bring one twice.
    const all = (await held()) ?? 0;
    expect(all).toBeGreaterThanOrEqual(231);
    const dryRun = await runCommand(cloud, 'redrive', '--dry-run', '--format', 'json');
    expect(JSON.parse(dryRun.stdout)).toMatchObject({ dryRun: true, messages: all, complete: true });
    expect(await held()).toBe(all);
    const first = await runCommand(cloud, 'redrive', '--limit', '30', '--format', 'json');
    expect({ ...first, stdout: JSON.parse(first.stdout) }).toMatchObject({
      code: 0,
      stdout: { messages: 30 },
    });
    expect(await held()).toBe(all - 30);
    const { code, stdout } = await runCommand(cloud, 'redrive');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${all - 30} messages are published to events again.\n`,
    });
    expect(await held()).toBe(0);
    await untilDelivered(cloud);
    expect(await count('events', "project = 'dead'")).toBe(230);
    const [broken] = await warehouse.query(
      "SELECT TO_JSON_STRING(headers) AS headers FROM quarantine WHERE batch_id = 'broken'",
    );
    expect(broken).toEqual({ headers: '{"batch_id":"broken","color":"blue"}' });
  });

  test('stops after the messages under way when it is interrupted, and the next one goes on', async () => {
    await deadLetter(Array.from({ length: 330 }, () => nextMessage('interrupted')));
    const all = (await held()) ?? 0;
    expect(all).toBeGreaterThanOrEqual(330);
    const child = startCommand(cloud, 'redrive');
    await once(child.stderr!, 'data');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    const left = await held();
    expect(left).toBeLessThan(all);
    expect(JSON.parse((await runCommand(cloud, 'redrive', '--format', 'json')).stdout)).toMatchObject({
      messages: left,
    });
    await untilDelivered(cloud);
    expect(await count('events', "project = 'interrupted'")).toBe(330);
  });

  // It takes as long as publishing may; what is refused for its flags can be tried meanwhile.
  test.concurrent('loses nothing where Pub/Sub does not take them, and says so', async () => {
    await deadLetter([nextMessage('unlucky')]);
    const all = (await held()) ?? 0;
    expect(all).toBeGreaterThanOrEqual(1);
    await cloud.setFaults({ pubsub: { publishUnavailableRate: 1 } });
    const failed = await runCommand(cloud, 'redrive');
    await cloud.setFaults({ pubsub: { publishUnavailableRate: 0 } });
    expect(failed.code).toBe(1);
    expect(await held()).toBe(all);
    expect(await runCommand(cloud, 'redrive')).toMatchObject({ code: 0 });
    await untilDelivered(cloud);
    expect(await count('events', "project = 'unlucky'")).toBe(1);
  });

  test.concurrent.each([
    [['--topic', 'nothing-here'], 'There is no subscription nothing-here-dead-hold in the project local'],
    [['--topic', 'a/b'], '--topic must be'],
    [['--limit', 'many'], '--limit must be'],
  ])('with %j fails and says why', async (args, problem) => {
    const { code, stderr } = await runCommand(cloud, 'redrive', ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(problem);
  });
});
