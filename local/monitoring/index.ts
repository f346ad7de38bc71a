import { createRequire } from 'node:module';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { type ListTimeSeriesRequest, listTimeSeries } from './list-time-series.ts';
import { type PubSubCounts, samplePubSub } from './pubsub-metrics.ts';
import { isRefusal } from './refuse.ts';
import { createSeriesStore } from './series.ts';

export type { PubSubCounts } from './pubsub-metrics.ts';

/** A log-based metric of the project that records the distribution of a value of log entries. */
export interface LogMetric {
  /** As in logging.googleapis.com/user/NAME. */
  readonly name: string;
  readonly unit: string;
}

export interface MonitoringOptions {
  host?: string;
  /** 0 takes any free port. */
  port: number;
  project: string;
  pubsub: () => PubSubCounts;
  logMetrics: readonly LogMetric[];
  log?: (line: string) => void;
}

/** A value that a log-based metric took from an entry that a Cloud Run service has just written. */
export interface LoggedValue {
  readonly name: string;
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Over how long it came together; a log-based metric of Google knows the time of the entry only. */
  readonly seconds?: number;
}

export interface MonitoringServer {
  port: number;
  record(value: LoggedValue): void;
  close(): Promise<void>;
}

const sampleEveryMs = 10_000;

/**
 * Starts a local Cloud Monitoring on gRPC without TLS: MetricService.ListTimeSeries over the metrics of the local
 * Pub/Sub and over log-based metrics. It holds a day, in memory. Rejects when the port is taken.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<MonitoringServer> {
  const { host = '127.0.0.1', port, project, pubsub, logMetrics, log = () => {} } = options;
  const store = createSeriesStore();
  const typeOf = (name: string) => `logging.googleapis.com/user/${name}`;
  for (const { name, unit } of logMetrics) {
    // To sum values up takes a DISTRIBUTION: a counter counts entries, whatever they say.
    // https://cloud.google.com/logging/docs/logs-based-metrics#metric_types
    store.define({ type: typeOf(name), metricKind: 'DELTA', valueType: 'DISTRIBUTION', unit });
  }
  const sample = samplePubSub(store, project, pubsub, Date.now());
  const timer = setInterval(() => sample(Date.now()), sampleEveryMs);
  timer.unref();

  const server = new Server();
  server.addService(loadService(), {
    ListTimeSeries: (
      { request }: ServerUnaryCall<ListTimeSeriesRequest, object>,
      callback: sendUnaryData<object>,
    ) => {
      try {
        const now = Date.now();
        sample(now);
        callback(null, listTimeSeries(store, project, request, now));
      } catch (error) {
        if (!isRefusal(error)) log(`monitoring: ${error instanceof Error ? error.stack : error}`);
        callback(isRefusal(error) ? error : { code: status.INTERNAL, details: String(error) });
      }
    },
  });
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, given) =>
      error === null ? resolve(given) : reject(error),
    );
  });
  return {
    port: bound,
    record({ name, service, labels, value, seconds = 0 }) {
      const endMs = Date.now();
      store.add(
        {
          metric: { type: typeOf(name), labels },
          resource: {
            type: 'cloud_run_revision',
            labels: {
              project_id: project,
              location: 'local',
              service_name: service,
              revision_name: service,
              configuration_name: service,
            },
          },
        },
        {
          startMs: endMs - seconds * 1000,
          endMs,
          value: { count: 1, mean: value, sumOfSquaredDeviation: 0 },
        },
      );
    },
    close() {
      clearInterval(timer);
      return new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), 1000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

/** The service that Google's own client ships. Its other methods answer UNIMPLEMENTED. */
function loadService(): ServiceDefinition {
  const json: object = createRequire(import.meta.url)('@google-cloud/monitoring/build/protos/protos.json');
  const options = { longs: String, enums: String, defaults: false, oneofs: true, arrays: false };
  const definition = fromJSON(json, options)['google.monitoring.v3.MetricService'];
  if (definition === undefined || 'format' in definition) throw new Error('no MetricService');
  return definition as ServiceDefinition;
}
