import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { decodeMessage } from '../../shared/batches/decode-message.ts';
import type { Message } from '../../shared/google/pubsub-publisher.ts';
import { createHost, type Host } from '../../shared/host/server.ts';
import { type Settings, settingsSchema } from '../../shared/settings/settings.ts';
import { readRow } from '../../shared/warehouse/read-row-for-test.ts';
import { wireDialects } from '../../shared/wire/dialects.ts';
import { createHandleRequest } from './handle-request.ts';

let host: Host;
let base: string;
let current: Settings | undefined;
let ready = Promise.withResolvers<void>();
let asked = Promise.withResolvers<void>();
let stored: Message[] = [];

beforeAll(async () => {
  host = createHost(
    createHandleRequest({
      dialects: wireDialects,
      settings: {
        current: () => current,
        get ready() {
          asked.resolve();
          return ready.promise;
        },
      },
      store: async (messages) => {
        stored.push(...messages);
        return [];
      },
      log: () => {},
      logBatches: false,
      now: Date.now,
      caps: { body: 5_000_000, inflated: 20_000_000, events: 5000 },
    }),
  );
  await once(host.server.listen(0, '127.0.0.1'), 'listening');
  base = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`;
});
afterAll(() => {
  host.server.close();
  host.server.closeAllConnections();
});
beforeEach(() => {
  current = undefined;
  stored = [];
  ready = Promise.withResolvers();
  asked = Promise.withResolvers();
});

const events = [{ appid: 'shop', xwho: 'visitor-1', xwhat: 'view', xwhen: Date.now(), xcontext: {} }];
const send = (path = '/up') => fetch(`${base}${path}`, { method: 'POST', body: JSON.stringify(events) });
const carried = () =>
  stored.map((message) => {
    const decoded = decodeMessage(message);
    if (decoded.kind !== 'batch') throw new Error(decoded.kind);
    return decoded.batch;
  });

describe('a request that comes before there are settings', () => {
  test('waits for their first reading, and then is judged by them', async () => {
    const answer = send();
    await asked.promise;
    expect(stored).toEqual([]);
    current = settingsSchema.parse({ projects: { shop: {} } });
    ready.resolve();
    expect((await answer).status).toBe(200);
    expect(carried()).toMatchObject([{ events: [expect.anything()], quarantine: [] }]);
  });

  test('is kept whole where that gave none, and answered with success', async () => {
    ready.resolve();
    const answer = await send();
    expect([answer.status, await answer.text()]).toEqual([200, '{"code":200}']);
    const [batch] = carried();
    expect(batch?.events).toEqual([]);
    expect(batch?.quarantine.map((row) => readRow('QuarantineRow', row))).toMatchObject([
      {
        reason: 'settings_unavailable',
        unit: 'request',
        replayable: true,
        dialect: 'analysys',
        body: Buffer.from(JSON.stringify(events)).toString('base64'),
      },
    ]);
  });

  test('is not waited for where there is a version, however old', async () => {
    current = settingsSchema.parse({});
    expect((await send()).status).toBe(200);
  });

  test.each(['/v1/batch', '/v1/events'])('to %s is sent again later', async (path) => {
    ready.resolve();
    const answer = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: { Authorization: 'Bearer shop' },
      body: '{"batch": []}',
    });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(stored).toEqual([]);
  });

  test('with verify=1 is told that it would be kept', async () => {
    ready.resolve();
    const answer = (await (await send('/up?verify=1')).json()) as { verdicts: object[] };
    expect(answer.verdicts).toMatchObject([
      { index: null, verdict: 'quarantined', reason: 'settings_unavailable' },
    ]);
    expect(stored).toEqual([]);
  });
});
