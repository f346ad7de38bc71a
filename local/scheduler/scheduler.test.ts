import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Job, startScheduler } from './index.ts';

const requests: IncomingMessage[] = [];
let status = 200;
const server = createServer((request, response) => {
  requests.push(request);
  response.writeHead(status).end('done');
});
let job: Job;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  job = {
    name: 'drain',
    cron: '0 0 1 1 *',
    timeZone: 'Asia/Shanghai',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/drain`,
    audience: 'https://replay.example',
    serviceAccount: 'scheduler@local.iam.gserviceaccount.com',
    attemptDeadlineSeconds: 5,
    retryCount: 0,
    minimumBackoffSeconds: 0,
  };
});
afterAll(() => {
  server.close();
});

const start = (jobs: readonly Job[], lines: string[] = []) =>
  startScheduler({
    jobs,
    sign: async ({ audience, email }) => `${audience} ${email}`,
    log: (line) => lines.push(line),
  });

test('a job that is run now posts with the token of its service account and the headers of Cloud Scheduler', async () => {
  const scheduler = start([job]);
  expect(await scheduler.run('drain')).toEqual({ status: 200, body: 'done' });
  scheduler.close();
  expect(requests.at(-1)).toMatchObject({
    method: 'POST',
    url: '/drain',
    headers: {
      authorization: `Bearer ${job.audience} ${job.serviceAccount}`,
      'content-length': '0',
      'user-agent': 'Google-Cloud-Scheduler',
      'x-cloudscheduler-jobname': 'drain',
    },
  });
});

test('a job runs by itself when it is due, and a failure is told', async () => {
  status = 503;
  const before = requests.length;
  const lines: string[] = [];
  const scheduler = start([{ ...job, cron: '* * * * * *' }], lines);
  await expect.poll(() => lines, { timeout: 60_000 }).toContain('drain: HTTP 503');
  scheduler.close();
  expect(requests.length).toBeGreaterThan(before);
  status = 200;
});

test('a job whose function cannot be reached says so, and an unknown name is refused with those that there are', async () => {
  const scheduler = start([{ ...job, url: 'http://127.0.0.1:59999/drain' }]);
  expect(await scheduler.run('drain')).toEqual({ error: expect.stringContaining('ECONNREFUSED') });
  await expect(scheduler.run('dream')).rejects.toThrow('the jobs are drain');
  scheduler.close();
});

test('a run that failed is tried again as often as the job says, as the same run', async () => {
  status = 503;
  const before = requests.length;
  const scheduler = start([{ ...job, cron: '* * * * * *', retryCount: 2 }]);
  const triesOf = () => {
    const tries = new Map<unknown, number>();
    for (const { headers } of requests.slice(before)) {
      const at = headers['x-cloudscheduler-scheduletime'];
      tries.set(at, (tries.get(at) ?? 0) + 1);
    }
    return [...tries.values()];
  };
  await expect.poll(triesOf, { timeout: 60_000 }).toContain(3);
  scheduler.close();
  expect(Math.max(...triesOf())).toBe(3);
  status = 200;
});
