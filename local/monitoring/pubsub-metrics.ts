import type { MetricDescriptor, SeriesStore } from './series.ts';

/** What Pub/Sub has counted since its process started, by full resource name, and how things are now. */
export interface PubSubCounts {
  readonly topics: Readonly<Record<string, { readonly published: number }>>;
  readonly subscriptions: Readonly<
    Record<
      string,
      { readonly backlog: number; readonly oldestUnackedSeconds: number; readonly deadLettered: number }
    >
  >;
}

// https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub
const undelivered = gauge('subscription/num_undelivered_messages', '1');
const oldest = gauge('subscription/oldest_unacked_message_age', 's');
const deadLetters = delta('subscription/dead_letter_message_count');
const sent = delta('topic/send_message_operation_count');

/** Makes the metrics of Pub/Sub known, and returns what samples them: gauges as they are, counts by their growth. */
export function samplePubSub(
  store: SeriesStore,
  project: string,
  read: () => PubSubCounts,
  startedMs: number,
): (nowMs: number) => void {
  for (const descriptor of [undelivered, oldest, deadLetters, sent]) store.define(descriptor);
  const before = new Map<string, number>();
  let sampledMs = startedMs;

  return (nowMs) => {
    const { topics, subscriptions } = read();
    const grow = (
      descriptor: MetricDescriptor,
      id: string,
      labels: Record<string, string>,
      total: number,
    ) => {
      const key = `${descriptor.type} ${id}`;
      const grown = total - (before.get(key) ?? 0);
      before.set(key, total);
      if (grown <= 0) return;
      const type = descriptor === sent ? 'pubsub_topic' : 'pubsub_subscription';
      const idLabel = descriptor === sent ? 'topic_id' : 'subscription_id';
      store.add(
        {
          metric: { type: descriptor.type, labels },
          resource: { type, labels: { project_id: project, [idLabel]: id } },
        },
        { startMs: sampledMs, endMs: nowMs, value: grown },
      );
    };
    for (const [name, { published }] of Object.entries(topics)) {
      grow(sent, lastPart(name), { response_class: 'success', response_code: 'success' }, published);
    }
    for (const [name, counts] of Object.entries(subscriptions)) {
      const id = lastPart(name);
      const resource = {
        type: 'pubsub_subscription',
        labels: { project_id: project, subscription_id: id },
      };
      const at = { startMs: nowMs, endMs: nowMs };
      store.add(
        { metric: { type: undelivered.type, labels: {} }, resource },
        { ...at, value: counts.backlog },
      );
      store.add(
        { metric: { type: oldest.type, labels: {} }, resource },
        { ...at, value: Math.floor(counts.oldestUnackedSeconds) },
      );
      grow(deadLetters, id, {}, counts.deadLettered);
    }
    sampledMs = nowMs;
  };
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function gauge(name: string, unit: string): MetricDescriptor {
  return { type: `pubsub.googleapis.com/${name}`, metricKind: 'GAUGE', valueType: 'INT64', unit };
}

function delta(name: string): MetricDescriptor {
  return { type: `pubsub.googleapis.com/${name}`, metricKind: 'DELTA', valueType: 'INT64', unit: '1' };
}
