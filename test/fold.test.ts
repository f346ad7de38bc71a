import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../local/index.ts';
import type { TributaryEvent } from '../shared/wire/tributary/wire-event.ts';
import { runCommand, startCommand } from './run-command.ts';
import { untilDelivered, type Warehouse, warehouseOf } from './warehouse-of.ts';

// The whole way: what senders say of devices and users, through ingest, Pub/Sub and load, to who did what.
const folder = mkdtempSync(join(tmpdir(), 'tributary-fold-'));
const settingsFile = join(folder, 'settings.json');
let cloud: LocalCloud;
let warehouse: Warehouse;

const decideSettings = (shop: object) =>
  writeFileSync(settingsFile, JSON.stringify({ projects: { shop, mill: {}, bank: {} } }));

beforeAll(async () => {
  decideSettings({});
  cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'fold'],
    settings: settingsFile,
    environment: { fold: { LEASE_SECONDS: '2' } },
    faults: { pubsub: { redeliverRate: 0.3 } },
  });
  warehouse = warehouseOf(cloud);
}, 120_000);

afterAll(async () => {
  await cloud?.close();
  rmSync(folder, { recursive: true, force: true });
});

const dayMs = 86_400_000;
const yesterday = Date.now() - dayMs;

/** Sends events in one request, and waits until they are in the warehouse. */
async function send(project: string, ...events: Partial<TributaryEvent>[]): Promise<void> {
  const response = await fetch(`${cloud.urls.ingest}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${project}` },
    body: JSON.stringify(events),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  await untilDelivered(cloud);
}

async function fold(...flags: string[]) {
  const { stdout, stderr, code } = await runCommand(cloud, 'fold', '--format', 'json', ...flags);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const peopleOf = async (project: string) =>
  (
    await warehouse.query(
      `SELECT name, person FROM events_by_person WHERE project = '${project}' ORDER BY occurred_at, name`,
    )
  ).map((row) => `${row.name} ${row.person}`);
const propertiesOf = async (from: 'persons' | 'profiles', project: string) =>
  Object.fromEntries(
    (
      await warehouse.query(
        `SELECT COALESCE(user_id, anonymous_id) AS id, TO_JSON_STRING(properties) AS properties FROM ${from} WHERE project = '${project}'`,
      )
    ).map((row) => [row.id, JSON.parse(String(row.properties))]),
  );

describe('what a device did before anybody logged in', () => {
  test('belongs to the user who logs in with it, soon and without anybody asking for it', async () => {
    await send(
      'shop',
      { name: 'view_item', anonymous_id: 'phone', occurred_at: yesterday },
      { name: 'view_cart', anonymous_id: 'laptop', occurred_at: yesterday + 1 },
    );
    await send('shop', { name: 'login', anonymous_id: 'phone', user_id: 'ada' });
    await expect
      .poll(() => peopleOf('shop'), { timeout: 60_000, interval: 500 })
      .toEqual(['view_item user:ada', 'view_cart device:laptop', 'login user:ada']);
  });

  test('belongs to another one where an alias comes late that is earlier', async () => {
    await send('shop', {
      kind: 'alias',
      anonymous_id: 'phone',
      user_id: 'bob',
      occurred_at: yesterday - dayMs,
    });
    await fold();
    expect(await peopleOf('shop')).toEqual([
      'view_item user:bob',
      'view_cart device:laptop',
      'login user:ada',
    ]);
  });

  test('comes back where that alias is voided', async () => {
    const [wrong] = await warehouse.query(
      "SELECT DISTINCT event_id FROM state_log WHERE project = 'shop' AND kind = 'alias' AND user_id = 'bob'",
    );
    decideSettings({ identity: { voided: [wrong?.event_id] } });
    await fold();
    const people = ['view_item user:ada', 'view_cart device:laptop', 'login user:ada'];
    expect(await peopleOf('shop')).toEqual(people);
    await fold('--full');
    expect(await peopleOf('shop')).toEqual(people);
  });
});

test('a profile folds to the same whatever the requests and their order', async () => {
  const set = (
    kind: TributaryEvent['kind'],
    properties: Record<string, unknown>,
    minute: number,
    who: Partial<TributaryEvent>,
  ) => ({
    kind,
    properties,
    occurred_at: yesterday + minute * 60_000,
    ...who,
  });
  const [device, user] = [{ anonymous_id: 'tablet' }, { user_id: 'eve' }];
  await send(
    'mill',
    set('profile_increment', { visits: 2 }, 5, user),
    set('profile_set', { plan: 'gold' }, 4, user),
  );
  await send('mill', set('profile_append', { tags: ['b'] }, 3, device), {
    kind: 'alias',
    ...device,
    ...user,
  });
  await fold();
  // What happened before comes after.
  await send('mill', set('profile_set', { visits: 0.5, plan: 'free', tags: ['a'] }, 1, device));
  await send('mill', set('profile_set_once', { plan: 'none', city: 'Turin' }, 0, user));
  await fold();
  const eve = { visits: 2.5, plan: 'gold', tags: ['a', 'b'], city: 'Turin' };
  expect(await propertiesOf('persons', 'mill')).toEqual({ eve });
  expect(await propertiesOf('profiles', 'mill')).toEqual({ eve });
});

test('the function may be killed at any moment, and the next fold ends with the right answer', async () => {
  for (let round = 0; round < 4; round++) {
    await send(
      'bank',
      { kind: 'profile_increment', user_id: 'ada', properties: { n: 1 }, occurred_at: yesterday + round },
      { kind: 'profile_set', anonymous_id: `device-${round}`, properties: { [`from${round}`]: true } },
      { kind: 'alias', anonymous_id: `device-${round}`, user_id: 'ada' },
    );
    const command = startCommand(cloud, 'fold');
    await new Promise((resolve) => setTimeout(resolve, 300 + 400 * round));
    await cloud.kill('fold');
    command.kill();
    await cloud.serving('fold');
  }
  await fold();
  const ada = { n: 4, from0: true, from1: true, from2: true, from3: true };
  expect(await propertiesOf('persons', 'bank')).toEqual({ ada });
  expect(await propertiesOf('profiles', 'bank')).toEqual({ ada });
});

test('the command says what it did, and where it cannot reach the function what to do', async () => {
  const { stdout, code } = await runCommand(cloud, 'fold', '--full');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^Everything was folded anew, as it was asked for: \d+ persons, 0 devices with another user, in 9 queries over [\d.]+ MB and [\d.]+ s\. Folded is what was received up to \d{4}-.*Z\.\n$/,
  );
  expect((await runCommand(cloud, 'fold')).stdout).toMatch(/^Nothing came in since the last fold\./);
  expect((await runCommand(cloud, 'fold', '--help')).stdout).toMatch(
    /^Brings identity and profiles up to date/,
  );
  expect(await runCommand(cloud, 'fold', '--url', 'http://127.0.0.1:1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Nothing answers at http://127.0.0.1:1'),
  });
});
