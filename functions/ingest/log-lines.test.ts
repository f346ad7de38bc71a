import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startIngest } from './start-for-test.ts';

const trace = '0123456789abcdef0123456789abcdef';
/** Stands wherever a sender may put something. */
const marker = `marker${randomUUID()}`;

const marked = (change: object = {}) => ({
  appid: 'shop',
  xwho: marker,
  xwhat: marker,
  xwhen: Date.now(),
  xcontext: { [marker]: marker, $ip: marker, deep: { [marker]: [marker] } },
  ...change,
});

describe('the lines that ingest logs', () => {
  let ingest: Awaited<ReturnType<typeof startIngest>>;
  beforeAll(async () => {
    ingest = await startIngest({
      settings: { projects: { shop: {} }, unknownProjectsPerDay: 1 },
      caps: { body: 20_000 },
    });
  });
  afterAll(() => ingest.close());

  test('say nothing of what a sender sent, whatever goes wrong', async () => {
    const headers = {
      traceparent: `00-${trace}-00f067aa0ba902b7-00`,
      authorization: `Basic ${marker}`,
      cookie: marker,
      'user-agent': marker,
      'x-marker': marker,
      referer: `https://example.com/${marker}`,
    };
    const send = async (path: string, body: string | Buffer | undefined, method = 'POST') => {
      const answer = await fetch(`${ingest.url}${path}`, { method, headers, ...(body && { body }) });
      return answer.status;
    };
    const bodies = [
      JSON.stringify([marked(), marked({ xwhen: marker }), marked({ xwho: { [marker]: marker } })]),
      JSON.stringify([marked({ appid: marker }), marked({ appid: marker })]),
      JSON.stringify([marked({ xcontext: marker })]),
      `[{"${marker}": ${marker}}]`,
      marker,
      gzipSync(marker),
      Buffer.from(gzipSync(marker).subarray(0, 20)),
      Buffer.from(marker).toString('base64'),
      marker.repeat(1_000),
    ];
    const sendAll = async () => {
      const statuses = new Set<number>();
      for (const body of bodies) statuses.add(await send(`/up?${marker}=${marker}`, body));
      return statuses;
    };
    expect(await sendAll()).toEqual(new Set([200, 413]));
    await send(`/up.gif?data=${marker}`, undefined, 'GET');
    expect(await send(`/${marker}?${marker}`, marker)).toBe(404);

    ingest.pubsubFaults.publishUnavailableRate = 1;
    expect(await sendAll()).toEqual(new Set([200, 413]));
    ingest.storageFaults.unavailableRate = 1;
    expect(await sendAll()).toContain(503);
    ingest.pubsubFaults.publishUnavailableRate = 0;
    ingest.storageFaults.unavailableRate = 0;
    await ingest.settled();

    expect(JSON.stringify(ingest.logged)).not.toContain(marker);
    const said = new Set(ingest.logged.map(({ severity, message }) => `${severity} ${message}`));
    expect(said).toContain('ERROR A batch could not be stored.');
    expect(said).toContain(
      'WARNING Pub/Sub does not acknowledge; batches go to the spill bucket until it does.',
    );
    expect(said).toContain(
      'WARNING No more of unknown projects is kept today: unknownProjectsPerDay of the settings is reached.',
    );
    for (const line of ingest.logged) {
      const own = Object.keys(line).filter((key) => !key.startsWith('logging.googleapis.com/'));
      expect(own.filter((key) => !/^[a-z]+(_[a-z]+)*$/.test(key))).toEqual([]);
      if (line.message !== 'A batch could not be stored.') continue;
      expect(line).toMatchObject({
        batch_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        'logging.googleapis.com/trace': trace,
        'logging.googleapis.com/spanId': '00f067aa0ba902b7',
        'logging.googleapis.com/trace_sampled': false,
      });
    }
  });
});
