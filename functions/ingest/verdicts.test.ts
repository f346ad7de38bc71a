import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { VerdictsAnswer } from '../../shared/wire/verdicts.ts';
import type { ingestCounts } from './metrics.ts';
import { startIngest } from './start-for-test.ts';

let ingest: Awaited<ReturnType<typeof startIngest>>;
beforeAll(async () => {
  const settings = { projects: { shop: {} }, unknownProjectsPerDay: 3 };
  ingest = await startIngest({ settings, caps: { body: 20_000 } });
});
afterAll(() => ingest.close());
beforeEach(() => {
  for (const key of Object.keys(ingest.counts)) ingest.counts[key as keyof typeof ingestCounts] = 0;
});

const event = { name: 'view_item', anonymous_id: 'visitor-1' };

async function post(body: string | object, { query = '', project = 'shop' } = {}) {
  const response = await fetch(`${ingest.url}/v1/events${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${project}` },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as VerdictsAnswer,
  };
}

/** What was counted, without zeros. */
const counted = () => Object.fromEntries(Object.entries(ingest.counts).filter(([, count]) => count > 0));

describe('a sender of ours', () => {
  test('is told what was counted', async () => {
    const { body } = await post([event, { ...event, id: 'a-0' }, { ...event, id: 'a-0' }, {}]);
    expect(body).toMatchObject({ receipt: { accepted: 2, duplicate: 1, quarantined: 1, dropped: 0 } });
    expect(counted()).toMatchObject({
      eventsReceived: 4,
      eventsAccepted: 2,
      eventsDuplicate: 1,
      eventsQuarantined: 1,
      requestsStored: 1,
    });
  });

  test('is told 413 for a body over the cap, and 503 with the time to wait where nothing could be stored', async () => {
    expect(await post('x'.repeat(30_000))).toMatchObject({ status: 413, body: { code: 413 } });
    ingest.pubsubFaults.publishUnavailableRate = 1;
    ingest.storageFaults.unavailableRate = 1;
    const refused = await post([event]);
    expect(refused).toMatchObject({ status: 503, body: { code: 503 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    ingest.pubsubFaults.publishUnavailableRate = 0;
    ingest.storageFaults.unavailableRate = 0;
    await ingest.settled();
  });

  test('without a key is counted as turned away and as nothing else', async () => {
    expect((await post([event], { project: '' })).status).toBe(401);
    expect(counted()).toEqual({ requestsTurnedAway: 1 });
  });
});

describe('verify=1', () => {
  const verify = (body: string | object, project?: string) =>
    post(body, { query: '?verify=1', ...(project !== undefined && { project }) });

  test('is counted as such and as nothing else, and no message is made', async () => {
    const published = ingest.published();
    expect(await verify([event, {}, '{'])).toMatchObject({ status: 200, body: { verify: true } });
    expect(await verify('x'.repeat(30_000))).toMatchObject({ status: 413 });
    expect(counted()).toEqual({ requestsVerified: 2 });
    expect([ingest.published(), await ingest.spilled()]).toEqual([published, 0]);
  });

  test('tells of what was accepted which rules it bends, and of nothing where it bends none', async () => {
    const bent = { ...event, kind: 'profile_increment', name: undefined, properties: { orders: 'two' } };
    const { body } = await verify([event, bent]);
    expect(body.verdicts[0]).not.toHaveProperty('warnings');
    expect(body.verdicts[1]).toMatchObject({
      verdict: 'accepted',
      warnings: ['increment_not_a_number: orders'],
    });
    expect((await post([bent])).body.verdicts).toMatchObject([{ warnings: body.verdicts[1]?.warnings }]);
  });

  test('tells of unknown projects what the number of a day leaves, and takes nothing of it', async () => {
    const five = [event, event, event, event, event];
    const told = ['quarantined', 'quarantined', 'quarantined', 'dropped', 'dropped'];
    const verdicts = ({ body }: { body: VerdictsAnswer }) => body.verdicts.map(({ verdict }) => verdict);
    expect(verdicts(await verify(five, 'stranger'))).toEqual(told);
    expect(verdicts(await verify(five, 'stranger'))).toEqual(told);
    expect(verdicts(await post(five, { project: 'stranger' }))).toEqual(told);
    expect(verdicts(await verify([event], 'stranger'))).toEqual(['dropped']);
  });

  test.each(['?verify=1', '?a=1&verify=1', '?verify=1&a=1', '?a=1&verify=1&b=2'])(
    '%s leaves the ids and the hash of the request as they are without it',
    async (query) => {
      const rest = query.replace(/(?<=[?&])verify=1&?/, '').replace(/[?&]$/, '');
      const body = [event, { ...event, id: 'a-0' }];
      const [verified, sent] = [await post(body, { query }), await post(body, { query: rest })];
      expect(verified.body.verdicts).toEqual(sent.body.verdicts);
      expect(verified.body.receipt.request_hash).toBe(sent.body.receipt.request_hash);
      expect(verified.body.receipt.batch_id).toBeNull();
    },
  );

  test.each(['?verify=10', '?verify=0', '?averify=1', '?verify'])('%s is not it', async (query) => {
    const { body } = await post([event], { query });
    expect(body).not.toHaveProperty('verify');
    expect(counted()).toMatchObject({ requestsStored: 1 });
  });
});
