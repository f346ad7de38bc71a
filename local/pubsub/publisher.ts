import type { Broker } from './broker.ts';
import type { Duration, TopicConfig } from './config.ts';
import { rollLost, rollUnavailable } from './faults.ts';
import { checkMask, type FieldMask } from './field-mask.ts';
import { page } from './page.ts';
import { alreadyExists, unimplemented } from './refuse.ts';
import { checkLabels, checkName, checkProject, checkPublish, checkRetention } from './validate.ts';
import { encodePublishResponse, type ScannedPublish } from './wire.ts';

/** A topic as a client sends it: settings this server has and those it refuses. */
interface TopicRequest {
  name?: string;
  labels?: Record<string, string>;
  messageRetentionDuration?: Duration | null;
  [refused: string]: unknown;
}

const refusedSettings = {
  messageStoragePolicy: 'message_storage_policy',
  kmsKeyName: 'kms_key_name',
  schemaSettings: 'schema_settings',
  ingestionDataSourceSettings: 'ingestion_data_source_settings',
  messageTransforms: 'message_transforms',
  tags: 'tags',
};

/** The methods of google.pubsub.v1.Publisher; those left out answer UNIMPLEMENTED. */
export function publisherMethods(broker: Broker) {
  return {
    CreateTopic(request: TopicRequest): TopicConfig {
      const config = readTopic(request);
      if (broker.topics.has(config.name)) throw alreadyExists(config.name);
      broker.createTopic(config);
      return config;
    },

    UpdateTopic(request: { topic?: TopicRequest; updateMask?: FieldMask }): TopicConfig {
      const given = request.topic ?? {};
      const name = given.name ?? '';
      checkName('topics', name);
      const current = broker.topic(name).config;
      const paths = checkMask('Topic', request.updateMask, {
        mutable: ['labels', 'message_retention_duration', ...Object.values(refusedSettings)],
        immutable: ['name', 'satisfies_pzs', 'state'],
      });
      const merged: TopicRequest = { ...current };
      for (const path of paths) {
        const refused = Object.values(refusedSettings).find((field) => field === path);
        if (refused !== undefined) throw unimplemented(`topic.${refused}`);
        if (path === 'labels') Object.assign(merged, { labels: given.labels ?? {} });
        else merged.messageRetentionDuration = given.messageRetentionDuration ?? null;
      }
      const config = readTopic(merged);
      broker.updateTopic(config);
      return config;
    },

    GetTopic({ topic = '' }: { topic?: string }): TopicConfig {
      checkName('topics', topic);
      return broker.topic(topic).config;
    },

    ListTopics(request: { project?: string; pageSize?: number; pageToken?: string }) {
      const project = request.project ?? '';
      checkProject(project);
      const names = [...broker.topics.keys()].filter((name) => name.startsWith(`${project}/`));
      const { items, nextPageToken } = page(names, request);
      return { topics: items.map((name) => broker.topic(name).config), nextPageToken };
    },

    ListTopicSubscriptions(request: { topic?: string; pageSize?: number; pageToken?: string }) {
      const topic = request.topic ?? '';
      checkName('topics', topic);
      const attached = [...broker.topic(topic).subscriptions];
      const { items, nextPageToken } = page(
        attached.map(({ subscription }) => subscription.name),
        request,
      );
      return { subscriptions: items, nextPageToken };
    },

    DeleteTopic({ topic = '' }: { topic?: string }) {
      checkName('topics', topic);
      broker.deleteTopic(topic);
      return {};
    },

    /** The request is scanned, not decoded, and the answer is bytes: see wire.ts. */
    async Publish(request: ScannedPublish): Promise<Buffer> {
      const { faults } = broker;
      rollUnavailable(faults);
      checkName('topics', request.topic);
      broker.topic(request.topic);
      checkPublish(request);
      if (request.messages.some((message) => message.orderingKey))
        throw unimplemented('message.ordering_key');
      if (faults.publishDelayMs > 0)
        await new Promise((resolve) => setTimeout(resolve, faults.publishDelayMs));
      const ids = await broker.publish(
        request.topic,
        request.messages.map((message) => message.bytes),
      );
      await rollLost(faults);
      return encodePublishResponse(ids);
    },
  };
}

function readTopic(request: TopicRequest): TopicConfig {
  const { name = '', labels, messageRetentionDuration } = request;
  checkName('topics', name);
  for (const [key, field] of Object.entries(refusedSettings)) {
    if (isSet(request[key])) throw unimplemented(`topic.${field}`);
  }
  if (labels) checkLabels(labels);
  if (messageRetentionDuration) checkRetention(messageRetentionDuration);
  return {
    name,
    ...(labels && { labels }),
    ...(messageRetentionDuration && { messageRetentionDuration }),
    state: 'ACTIVE',
  };
}

/** Whether a decoded field holds more than nothing: protobuf sends empty lists and maps like absent ones. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return true;
}
