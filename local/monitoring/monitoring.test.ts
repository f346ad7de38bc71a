import { MetricServiceClient, type protos } from '@google-cloud/monitoring';
import { credentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MonitoringServer, type PubSubCounts, startMonitoring } from './index.ts';
import { addValues, type Distribution } from './series.ts';

type Aggregation = protos.google.monitoring.v3.IAggregation;

const accepted = 'tributary/ingest.events.accepted';
let counts: PubSubCounts;
let server: MonitoringServer;
let client: MetricServiceClient;

const backlogOf = (backlog: number, oldestUnackedSeconds = 0, deadLettered = 0) => ({
  'projects/local/subscriptions/events-load': { backlog, oldestUnackedSeconds, deadLettered },
  'projects/local/subscriptions/other': { backlog: 1, oldestUnackedSeconds: 1, deadLettered: 0 },
});

beforeAll(async () => {
  counts = { topics: {}, subscriptions: backlogOf(0) };
  server = await startMonitoring({
    port: 0,
    project: 'local',
    pubsub: () => counts,
    logMetrics: [
      { name: accepted, unit: '{event}' },
      { name: 'never', unit: '1' },
    ],
  });
  client = new MetricServiceClient({
    projectId: 'local',
    apiEndpoint: '127.0.0.1',
    port: server.port,
    sslCreds: credentials.createInsecure(),
  });
});
afterAll(async () => {
  await client.close();
  await server.close();
});
beforeEach(() => {
  counts = { topics: counts.topics, subscriptions: backlogOf(0) };
});

async function list(filter: string, aggregation?: Aggregation, change: object = {}) {
  const end = Date.now() / 1000;
  const [series] = await client.listTimeSeries({
    name: 'projects/local',
    filter,
    interval: { startTime: { seconds: Math.floor(end - 3600) }, endTime: { seconds: Math.floor(end) } },
    view: 'FULL',
    ...(aggregation && { aggregation }),
    ...change,
  });
  return series;
}

const log = `metric.type = "logging.googleapis.com/user/${accepted}"`;
const pubsub = (name: string) => `metric.type = "pubsub.googleapis.com/${name}"`;
const hour = { alignmentPeriod: { seconds: 3600 }, perSeriesAligner: 'ALIGN_DELTA' } as const;

describe('the metrics of Pub/Sub', () => {
  test('tell what is undelivered now, and how old the oldest is', async () => {
    counts = { ...counts, subscriptions: backlogOf(7, 42.9) };
    const filter = 'resource.labels.subscription_id = "events-load"';
    const [undelivered, ...others] = await list(
      `${pubsub('subscription/num_undelivered_messages')} AND ${filter}`,
    );
    expect(others).toEqual([]);
    expect(undelivered).toMatchObject({
      metricKind: 'GAUGE',
      valueType: 'INT64',
      resource: {
        type: 'pubsub_subscription',
        labels: { project_id: 'local', subscription_id: 'events-load' },
      },
    });
    expect(undelivered?.points?.[0]?.value).toMatchObject({ int64Value: '7' });
    const [age] = await list(`${pubsub('subscription/oldest_unacked_message_age')} AND ${filter}`);
    expect(age).toMatchObject({ unit: 's' });
    expect(age?.points?.[0]?.value).toMatchObject({ int64Value: '42' });
    const all = await list(pubsub('subscription/num_undelivered_messages'));
    expect(all.map((it) => it.resource?.labels?.subscription_id).sort()).toEqual(['events-load', 'other']);
  });

  test('count what was sent and dead-lettered between samples', async () => {
    const totals = [3, 3, 10];
    for (const published of totals) {
      counts = {
        topics: { 'projects/local/topics/events': { published } },
        subscriptions: backlogOf(0, 0, published),
      };
      await list(pubsub('topic/send_message_operation_count'));
    }
    for (const [name, type] of [
      ['topic/send_message_operation_count', 'pubsub_topic'],
      ['subscription/dead_letter_message_count', 'pubsub_subscription'],
    ]) {
      const [series] = await list(`resource.type = ${type} AND ${pubsub(name!)}`);
      const sum = series?.points?.reduce((total, it) => total + Number(it.value?.int64Value), 0);
      expect(sum).toBe(10);
      expect(series?.metricKind).toBe('DELTA');
    }
  });
});

describe('log-based metrics', () => {
  test('are distributions of what was logged, by service and labels', async () => {
    const values = [5, 10, 30];
    for (const value of values) {
      server.record({ name: accepted, service: 'ingest', labels: { function: 'ingest' }, value, seconds: 5 });
    }
    server.record({ name: accepted, service: 'replay', labels: { function: 'replay' }, value: 100 });
    const [series, ...others] = await list(`${log} AND metric.label.function = "ingest"`, hour);
    expect(others).toEqual([]);
    expect(series).toMatchObject({
      metricKind: 'DELTA',
      valueType: 'DISTRIBUTION',
      unit: '{event}',
      resource: { type: 'cloud_run_revision', labels: { service_name: 'ingest' } },
    });
    expect(series?.points).toHaveLength(1);
    const { count, mean, sumOfSquaredDeviation } = series?.points?.[0]?.value?.distributionValue ?? {};
    expect({ count, mean, sumOfSquaredDeviation }).toEqual({
      count: '3',
      mean: 15,
      sumOfSquaredDeviation: 350,
    });

    const [reduced, ...more] = await list(log, { ...hour, crossSeriesReducer: 'REDUCE_SUM' });
    expect(more).toEqual([]);
    expect(reduced?.points?.[0]?.value?.distributionValue).toMatchObject({ count: '4', mean: 36.25 });
    const byService = await list(log, {
      ...hour,
      crossSeriesReducer: 'REDUCE_SUM',
      groupByFields: ['resource.label.service_name'],
    });
    expect(byService.map((it) => it.resource?.labels?.service_name).sort()).toEqual(['ingest', 'replay']);
    const headers = await list(log, undefined, { view: 'HEADERS' });
    expect(headers.map(({ points }) => points)).toEqual([[], []]);
  });

  test('that nothing was logged for have no series, and one that nobody defined is not found', async () => {
    expect(await list('metric.type = "logging.googleapis.com/user/never"')).toEqual([]);
    await expect(list('metric.type = "logging.googleapis.com/user/unknown"')).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining('Cannot find metric(s) that match type'),
    });
  });

  test('add up to the same in whatever order and parts they were logged', () => {
    const single = (value: number): Distribution => ({ count: 1, mean: value, sumOfSquaredDeviation: 0 });
    const merge = (values: number[]) => values.map(single).reduce((a, b) => addValues(a, b) as Distribution);
    const list = fc.array(fc.nat(1_000_000), { minLength: 1 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        const whole = merge([...one, ...other]);
        const parts = addValues(merge(other), merge(one)) as Distribution;
        expect(parts.count).toBe(whole.count);
        expect(parts.mean).toBeCloseTo(whole.mean, 5);
        expect(whole.count * whole.mean).toBeCloseTo(
          [...one, ...other].reduce((a, b) => a + b),
          3,
        );
      }),
    );
  });
});

describe('what is not supported', () => {
  test.each([
    ['', /a filter is required/],
    ['resource.type = "pubsub_topic"', /single metric\.type/],
    [`${log} AND ${log}`, /single metric\.type/],
    [`${log} OR ${log}`, /"OR .*" is not supported/],
    [`NOT ${log}`, /is no comparison/],
    ['metric.type = starts_with("pubsub.googleapis.com")', /function starts_with is not supported/],
    [`${log} AND metric.labels.function != "x"`, /operator != of metric\.labels\.function/],
    [`${log} AND group.id = "7"`, /field group\.id is not supported/],
    [`${log} AND metadata.user_labels.a = "7"`, /field metadata\.user_labels\.a is not supported/],
  ])('in a filter is refused by its name: %s', async (filter, message) => {
    await expect(list(filter)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(message),
    });
  });

  test.each<[Aggregation, RegExp]>([
    [{ ...hour, perSeriesAligner: 'ALIGN_RATE' }, /ALIGN_RATE is not supported/],
    [{ ...hour, perSeriesAligner: 'ALIGN_MAX' }, /ALIGN_MAX cannot be applied/],
    [{ ...hour, crossSeriesReducer: 'REDUCE_MEAN' }, /REDUCE_MEAN is not supported/],
    [{ ...hour, alignmentPeriod: { seconds: 5 } }, /at least 60 seconds/],
    [{ crossSeriesReducer: 'REDUCE_SUM' }, /needs an aggregation\.perSeriesAligner/],
    [{ ...hour, crossSeriesReducer: 'REDUCE_SUM', groupByFields: ['project'] }, /groupByFields "project"/],
  ])('of an aggregation is refused by its name: %j', async (aggregation, message) => {
    server.record({ name: accepted, service: 'ingest', labels: { function: 'ingest' }, value: 1 });
    await expect(list(log, aggregation)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(message),
    });
  });

  test.each([
    [{ orderBy: 'x' }, status.INVALID_ARGUMENT],
    [{ pageToken: 'x' }, status.INVALID_ARGUMENT],
    [{ secondaryAggregation: hour }, status.INVALID_ARGUMENT],
    [{ interval: { startTime: { seconds: 2 }, endTime: { seconds: 1 } } }, status.INVALID_ARGUMENT],
    [{ interval: {} }, status.INVALID_ARGUMENT],
    [{ name: 'projects/other' }, status.NOT_FOUND],
  ])('of a request is refused: %j', async (change, code) => {
    await expect(list(log, undefined, change)).rejects.toMatchObject({ code });
  });

  test('of the service answers UNIMPLEMENTED', async () => {
    await expect(
      client.listMetricDescriptors({ name: 'projects/local' }, { retry: null, timeout: 2_000 }),
    ).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});
