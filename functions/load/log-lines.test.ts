import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noFaults } from '../../local/bigquery/faults.ts';
import { audience, eventRow, hastyPath, pusher, startLoad, wrap } from './start-for-test.ts';

const day = 86_400_000_000;
const trace = '0123456789abcdef0123456789abcdef';
/** Stands wherever a sender may put something. */
const marker = `marker${randomUUID()}`;

const marked = {
  event_id: marker,
  name: marker,
  user_id: marker,
  properties: JSON.stringify({ [marker]: marker }),
  context: JSON.stringify({ $ip: marker }),
  request_hash: marker,
};

describe('the lines that load logs', () => {
  const faults = noFaults();
  let load: Awaited<ReturnType<typeof startLoad>>;
  beforeAll(async () => {
    load = await startLoad({ faults });
  });
  afterAll(() => load.close());

  /** Tokens that say the marker in every place that a check may quote. */
  const tokens = async () => {
    const key = new TextEncoder().encode('a secret that everybody knows, of enough bytes');
    const claims = { email: pusher, email_verified: true, marker };
    const sign = (header: object, change: (token: SignJWT) => SignJWT = (token) => token) =>
      change(new SignJWT(claims).setAudience(audience).setExpirationTime('1h'))
        .setProtectedHeader({ alg: 'HS256', ...header })
        .sign(key, { crit: { [marker]: false } });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return [
      marker,
      `${marker}.${marker}.${marker}`,
      `${part({ alg: marker, kid: marker })}.${part({ aud: marker, iss: marker })}.${marker}`,
      `${part({ alg: 'RS256', crit: [marker], [marker]: 1 })}.${part(claims)}.AAAA`,
      await sign({ kid: marker }),
      await sign({}, (token) => token.setIssuer(marker).setAudience(marker)),
    ];
  };

  test('say nothing of what a sender sent, whatever goes wrong', async () => {
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-marker': marker, cookie: marker };
    const send = (url: string, body: string, token: string | undefined) =>
      fetch(url, {
        method: 'POST',
        headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
        body,
      });
    for (const token of await tokens()) await send(`${load.url}?${marker}=${marker}`, marker, token);

    const good = await load.sign();
    const post = (body: string, path = '') => send(`${new URL(path, load.url)}?secret=${marker}`, body, good);
    const statuses: number[] = [];
    const old = { occurred_at: Date.now() * 1_000 - 4_000 * day };
    const pushes = [
      { batch: { events: [eventRow({ ...marked, ...old }), eventRow(marked)] } },
      { data: Buffer.from(marker) },
      { data: gzipSync(Buffer.from(marker)), attributes: { encoding: 'gzip', [marker]: marker } },
      { data: Buffer.from(marker), attributes: { encoding: marker } },
      { attributes: { schema_version: '999', project: marker } },
      { attributes: { schema_version: marker, project: marker, dialect: marker } },
    ];
    for (const push of pushes) statuses.push((await post(JSON.stringify(wrap(push)))).status);
    for (const body of [marker, `{"${marker}"`, `{"message":{"data":"${marker}"}}`]) {
      statuses.push((await post(body)).status);
    }
    faults.refuseAppends = true;
    const waits = JSON.stringify(wrap({ batch: { events: [eventRow(marked)] } }));
    statuses.push((await post(waits, hastyPath)).status);
    faults.refuseAppends = false;
    await load.deleteTable('event_log');
    statuses.push((await post(JSON.stringify(wrap({ batch: { events: [eventRow(marked)] } })))).status);

    expect(statuses).toEqual([204, 204, 204, 204, 503, 204, 400, 400, 400, 503, 503]);
    const text = JSON.stringify(load.logged);
    expect(text).not.toContain(marker);
    expect(text).not.toContain(good.split('.')[1]);
    expect(new Set(load.logged.map(({ message }) => message))).toEqual(
      new Set([
        'Refused a push.',
        'Rows were quarantined.',
        'A message has a schema version that this deployment does not know. Deploy load.',
        'The body of a push is not an envelope of Pub/Sub. Is payload unwrapping on?',
        'Rows could not be appended to event_log; the message comes again.',
      ]),
    );
    for (const line of load.logged) {
      expect(line).toMatchObject({
        severity: expect.stringMatching(/^(WARNING|ERROR)$/),
        'logging.googleapis.com/trace': trace,
        'logging.googleapis.com/spanId': '00f067aa0ba902b7',
        'logging.googleapis.com/trace_sampled': true,
      });
      const own = Object.keys(line).filter((key) => !key.startsWith('logging.googleapis.com/'));
      expect(own.filter((key) => !/^[a-z]+(_[a-z]+)*$/.test(key))).toEqual([]);
    }
  });
});
