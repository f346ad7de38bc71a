import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { chief, clerk, type Served, servePermissions } from '../serve-for-test.ts';

let served: Served;

beforeAll(async () => {
  served = await servePermissions();
});
beforeEach(() => served.world.fake.clearCalls());
afterAll(() => served.close());

const writes = () =>
  served.world.fake
    .calls()
    .filter(({ kind }) => kind === 'write')
    .map(({ method }) => method);

/** Plans and applies at once. */
async function change(resources: object[], requestId: string, email = chief) {
  const request = { resources, reason: 'a test' };
  const planned = await served.call('/resources/plan', { request }, email);
  if (planned.status !== 200) return planned;
  return served.call('/resources/apply', { request, planHash: planned.body.planHash, requestId }, email);
}

const shop = {
  op: 'createProperty',
  account: 'accounts/1',
  displayName: 'Shop',
  timeZone: 'Europe/Berlin',
  currencyCode: 'EUR',
};

test('a property and its stream are made once, changed field by field, and put into the trash by name', async () => {
  const made = await change([shop], 'make');
  expect(made).toMatchObject({ status: 200, body: { kind: 'committed', results: [{ kind: 'done' }] } });
  const { properties } = served.world.fake.state();
  const property = Object.keys(properties).find((name) => properties[name]?.displayName === 'Shop') ?? '';
  expect(properties[property]).toMatchObject({
    timeZone: 'Europe/Berlin',
    currencyCode: 'EUR',
    inTrash: false,
  });
  expect(await change([shop], 'make-again')).toMatchObject({
    body: { results: [{ kind: 'unchanged', name: property }] },
  });
  expect(writes()).toEqual(['CreateProperty']);

  const stream = { op: 'createStream', property, displayName: 'Web', defaultUri: 'https://shop.example.com' };
  const rename = { op: 'updateProperty', property, displayName: 'The shop' };
  expect(await change([stream, rename], 'change')).toMatchObject({ body: { kind: 'committed' } });
  expect(served.world.fake.state().properties[property]).toMatchObject({
    displayName: 'The shop',
    timeZone: 'Europe/Berlin',
  });
  expect(await served.call('/read', { what: 'dataStreams', property })).toMatchObject({
    body: { dataStreams: [{ display_name: 'Web', default_uri: 'https://shop.example.com' }] },
  });

  expect(await change([{ op: 'deleteProperty', property, confirm: 'Shop' }], 'wrong')).toMatchObject({
    status: 400,
    body: {
      error: {
        problems: [{ line: 'resources[0]', reason: 'confirm must be "The shop", the name of what goes' }],
      },
    },
  });
  expect(await change([{ op: 'deleteProperty', property, confirm: 'The shop' }], 'right')).toMatchObject({
    body: { kind: 'committed' },
  });
  expect(served.world.fake.state().properties[property]?.inTrash).toBe(true);
  const audited = await served.stores.query(
    "SELECT phase, method FROM access_audit WHERE request_id = 'right' ORDER BY occurred_at, phase DESC",
  );
  expect(audited).toEqual([
    { phase: 'intent', method: 'DeleteProperty' },
    { phase: 'applied', method: 'DeleteProperty' },
  ]);
});

test.each([
  ['everything', 1],
  ['nothing', 0],
  ['later', 1],
] as const)('a property whose answer was lost, with %s done, is never made twice', async (commits, found) => {
  served.world.fake.setFaults([{ methods: ['CreateProperty'], answers: 'UNAVAILABLE', commits }]);
  const displayName = `Lost with ${commits}`;
  const ended = await change([{ ...shop, displayName }], `lost-${commits}`);
  served.world.fake.setFaults([]);
  expect(ended).toMatchObject({ body: { kind: found === 1 ? 'committed' : 'partly_committed' } });
  const made = Object.values(served.world.fake.state().properties).filter(
    (it) => it.displayName === displayName,
  );
  expect(made).toHaveLength(found);
  expect(writes()).toEqual(['CreateProperty']);
});

test('a change is refused where it has moved since it was planned, and its id answers again', async () => {
  const request = { resources: [{ op: 'updateProperty', property: 'properties/11', displayName: 'Eleven' }] };
  const { planHash } = (await served.call('/resources/plan', { request })).body;
  const apply = { request, planHash, requestId: 'eleven' };
  const applied = await served.call('/resources/apply', apply);
  expect(applied).toMatchObject({ body: { kind: 'committed' } });
  expect(await served.call('/resources/apply', apply)).toEqual(applied);
  expect(await served.call('/resources/apply', { ...apply, requestId: 'twelve' })).toMatchObject({
    status: 409,
    body: { error: { code: 'stale_plan' } },
  });
});

test('an account is asked for by a ticket, that a person accepts', async () => {
  const wanted = {
    op: 'provisionAccount',
    displayName: 'New',
    regionCode: 'DE',
    redirectUri: 'https://example.com/done',
  };
  expect(await change([wanted], 'ticket')).toMatchObject({
    body: { results: [{ accountTicketId: expect.stringMatching(/./) }] },
  });
});

test('what is wrong, or not allowed to the caller, is refused before any change', async () => {
  const wrong = await change(
    [
      { ...shop, timeZone: 'Mars/Base' },
      { op: 'updateProperty', property: '11' },
    ],
    'wrong-2',
  );
  expect(wrong).toMatchObject({
    status: 400,
    body: { error: { problems: [{ line: 'resources[0].timeZone' }, { line: 'resources[1].property' }] } },
  });
  const deletion = { op: 'deleteProperty', property: 'properties/12', confirm: 'Property 12' };
  expect(await change([deletion], 'clerk', clerk)).toMatchObject({ status: 400 });
  const outside = { op: 'updateProperty', property: 'properties/21', displayName: 'Mine' };
  expect(await change([outside], 'clerk-2', clerk)).toMatchObject({ status: 409 });
  expect(writes()).toEqual([]);
});

test.each([
  [
    { what: 'accountSummaries' },
    { accountSummaries: [{ account: 'accounts/1' }, { account: 'accounts/2' }] },
  ],
  [{ what: 'accounts' }, { accounts: [{ account: 'accounts/1' }, { account: 'accounts/2' }] }],
  [{ what: 'account', account: 'accounts/2' }, { displayName: 'Account 2' }],
  [{ what: 'properties', ancestor: 'accounts/2' }, { properties: [{ name: 'properties/21' }] }],
  [
    { what: 'properties', parent: 'accounts/2', showDeleted: true },
    { properties: [{ name: 'properties/21' }] },
  ],
  [{ what: 'properties', firebaseProject: 'none' }, { properties: [] }],
  [{ what: 'property', property: 'properties/12' }, { displayName: 'Property 12' }],
])('%j reads what is there', async (call, expected) => {
  const read = await served.call('/read', call);
  expect(read).toMatchObject({ status: 200, body: expected });
});

test('a caller reads of the accounts of the policy alone', async () => {
  expect(await served.call('/read', { what: 'accountSummaries' }, clerk)).toMatchObject({
    body: { accountSummaries: [{ account: 'accounts/1' }] },
  });
  expect(await served.call('/read', { what: 'property', property: 'properties/21' }, clerk)).toMatchObject({
    status: 403,
  });
  expect(await served.call('/read', { what: 'account', account: 'accounts/2' }, clerk)).toMatchObject({
    status: 403,
  });
});
