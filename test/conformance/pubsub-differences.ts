import type { Observation } from './pubsub/case.ts';

/** A behaviour that one of the two does not have as Google documents it. */
export interface Difference {
  /** What Google's emulator is observed to do; absent where it does what is documented. */
  readonly google?: Observation;
  /** What the local Pub/Sub is observed to do; absent where it does what is documented. */
  readonly ours?: Observation;
  readonly why: string;
}

/**
 * Where Google's own emulator or the local Pub/Sub does not do what the documentation says, by the name of the case,
 * which names the page. Tests hold both to it: an observation that is neither documented nor listed fails, and so does
 * a listed one that is observed no more. Ours may only be listed with what it refuses. Google's emulator is that of
 * version 0.8.20; another may need other entries.
 */
export const differences: Readonly<Record<string, Difference>> = {
  'a topic that was created is shown as it was given': {
    google: { labels: { team: 'a' }, retention: '600', state: 'STATE_UNSPECIFIED' },
    why: 'The state is an output of the service; the emulator has none.',
  },
  'a topic that does not exist is not found, by whatever call': {
    google: {
      get: 'NOT_FOUND',
      delete: 'NOT_FOUND',
      update: 'NOT_FOUND',
      publish: 'NOT_FOUND',
      subscribe: 'NOT_FOUND',
      listSubscriptions: 'OK',
    },
    why: 'The emulator lists no subscriptions for a topic it does not know.',
  },
  'a page token that was never given is refused': {
    google: { listTopics: 'OK', listSubscriptions: 'OK' },
    why: 'A token that is no token is an invalid value, which the page of error codes calls INVALID_ARGUMENT; the emulator starts over.',
  },
  'an update of a topic changes what its mask names and nothing else': {
    google: { labels: { team: 'a' }, retention: '1200', cleared: false },
    why: 'A masked field that is not given is cleared; the emulator keeps it.',
  },
  'an update changes the labels of a topic and of a subscription': {
    google: { topic: 'INVALID_ARGUMENT', subscription: 'INVALID_ARGUMENT', shown: { team: 'a' } },
    why: 'The emulator does not know labels in a mask.',
  },
  'labels are at most 64, of lower case letters, digits, underscores and dashes, keys beginning with a letter':
    {
      google: {
        '64 labels': 'OK',
        '65 labels': 'OK',
        'of 63 characters': 'OK',
        'key of 64 characters': 'OK',
        'value of 64 characters': 'OK',
        'capital in a key': 'OK',
        'capital in a value': 'OK',
        'digit first': 'OK',
      },
      why: 'The emulator does not look at labels.',
    },
  'a subscription without settings has the defaults': {
    google: {
      topic: 'events',
      ackDeadlineSeconds: 10,
      retention: '604800',
      expiration: 'undefined',
      state: 'STATE_UNSPECIFIED',
      retryPolicy: false,
      deadLetterPolicy: false,
      pushEndpoint: '',
      detached: false,
    },
    why: 'The emulator has neither states nor the default expiration of 31 days.',
  },
  'the ack deadline of a subscription is 10 to 600 seconds': {
    google: { '9': 'OK', '10': 'OK', '600': 'OK', '601': 'INVALID_ARGUMENT', '-1': 'INVALID_ARGUMENT' },
    why: 'The emulator takes shorter deadlines.',
  },
  'a subscription retains messages for 10 minutes to 31 days': {
    google: {
      '599 s': 'INVALID_ARGUMENT',
      '600 s': 'OK',
      '31 days': 'INVALID_ARGUMENT',
      '31 days and 1 s': 'INVALID_ARGUMENT',
    },
    why: 'The emulator still has the limit of 7 days of earlier years.',
  },
  'a subscription expires after a day or more without use, or never': {
    google: { 'a day less 1 s': 'OK', 'a day': 'OK', never: 'OK', shownAs: 'no ttl' },
    why: 'The emulator does not look at the ttl.',
  },
  'a dead-letter policy allows 5 to 100 delivery attempts, 0 meaning 5, to a topic that exists': {
    google: {
      '0': 'OK',
      '4': 'OUT_OF_RANGE',
      '5': 'OK',
      '100': 'OK',
      '101': 'OUT_OF_RANGE',
      'no such topic': 'NOT_FOUND',
      'no name': 'NOT_FOUND',
      shownFor0: 5,
    },
    why: 'The message only says that the call fails; the page of error codes names INVALID_ARGUMENT for an invalid value and knows no OUT_OF_RANGE.',
  },
  'an update of a subscription needs a mask of known fields that may change': {
    google: {
      empty: 'INVALID_ARGUMENT',
      unknown: 'INVALID_ARGUMENT',
      name: 'INVALID_ARGUMENT',
      topic: 'INVALID_ARGUMENT',
      filter: 'INVALID_ARGUMENT',
      'a bad value': 'OK',
    },
    why: 'The emulator takes any deadline in an update.',
  },
  "a subscription shows its topic's retention": {
    google: 'undefined',
    why: 'The emulator leaves the field out.',
  },
  'a negative page size is refused': {
    google: { listTopics: 'OK', listSubscriptions: 'OK' },
    why: 'The emulator takes it for the default.',
  },
  'what only the service sets is ignored in a request': {
    google: { satisfiesPzs: true, topicMessageRetentionDuration: 'given' },
    why: 'The emulator shows what it was given.',
  },
  'the retry policy also holds for a message whose deadline passed': {
    google: 'too soon',
    why: 'The emulator does not hold to the backoff it was given.',
  },
  'a publish holds at most 10 MB': {
    google: { 'just below': 'OK', 'one message above': 'OK', 'two above': 'OK' },
    why: 'The emulator has no such limit.',
  },
  'a message has at most 100 attributes, with keys up to 256 and values up to 1,024 bytes': {
    google: {
      'key of 256 bytes': 'OK',
      'key of 257 bytes': 'OK',
      'key of 129 letters of 2 bytes': 'OK',
      'value of 1,024 bytes': 'OK',
      'value of 1,025 bytes': 'OK',
      '100 attributes': 'OK',
      '101 attributes': 'OK',
    },
    why: 'The emulator has no such limits.',
  },
  'an attribute key is not empty and does not begin with goog': {
    google: { empty: 'OK', goog: 'OK', 'goog inside': 'OK' },
    why: 'The emulator does not look at keys.',
  },
  'ack ids are needed and must be well-formed, deadlines are 0 to 600 seconds': {
    google: {
      'no ack id': 'INVALID_ARGUMENT',
      'a malformed one': 'INVALID_ARGUMENT',
      'no ack id to extend': 'INVALID_ARGUMENT',
      'a malformed one to extend': 'INVALID_ARGUMENT',
      'deadline -1': 'INVALID_ARGUMENT',
      'deadline 600': 'OK',
      'deadline 601': 'OK',
    },
    why: 'The emulator takes longer deadlines.',
  },
  'a pull asks for a positive number of messages and gets no more than that': {
    google: { '0': 'INVALID_ARGUMENT', '-1': 'OK', most: 2 },
    why: 'The emulator takes a negative number.',
  },
  'what is pulled from a push subscription is refused': {
    google: { pull: 'OK' },
    why: 'The emulator answers without messages.',
  },
  'a stream has no more messages outstanding than it asked for, and more as they are acknowledged': {
    google: { outstanding: 5, afterAcknowledging: 5 },
    why: 'The emulator sends all it has.',
  },
  'a stream stops at the outstanding bytes it asked for': {
    google: ['0123456789012', 'next'],
    why: 'The emulator sends all it has.',
  },
  'later requests of a stream may not set what belongs in the first': {
    google: {
      subscription: 'INVALID_ARGUMENT',
      maxOutstandingMessages: 'open',
      maxOutstandingBytes: 'open',
      protocolVersion: 'open',
      streamAckDeadlineSeconds: 'open',
    },
    why: 'The emulator only looks at the subscription.',
  },
  'with a retry policy a message that failed waits at least the minimum backoff, others do not': {
    google: { again: 'too soon' },
    why: 'The emulator does not hold to the backoff it was given.',
  },
  'a push leaves out the attributes or the data that a message has not': {
    google: { 'data only': ['attributes', 'data'], 'attributes only': ['attributes', 'data'] },
    why: 'The JSON form of protobuf leaves out empty fields; the emulator writes them.',
  },
  'a push is acknowledged by 102, 200, 201, 202 and 204': {
    google: { '102': 'once', '200': 'once', '201': 'once', '202': 'again', '204': 'once' },
    why: 'The emulator takes 203 in place of 202.',
  },
  'a push that is answered anything else is sent again': {
    google: {
      '203': 'once',
      '205': 'again',
      '301': 'again',
      '400': 'again',
      '404': 'again',
      '429': 'again',
      '500': 'again',
      '503': 'again',
    },
    why: 'The emulator takes 203 in place of 202.',
  },
  'a push tells the delivery attempt when there is a dead-letter policy': {
    google: ['none', 'none'],
    why: 'The emulator leaves it out of pushes.',
  },
  'a push with an OIDC token carries a JWT of the service account for the audience, by default the endpoint':
    {
      google: { given: 'no token', default: 'no token' },
      why: 'The emulator signs nothing; the local cloud has an issuer of its own.',
    },
  'a push configuration has a URL, and a token a service account': {
    google: { 'no URL': 'INVALID_ARGUMENT', 'token of nobody': 'OK', URL: 'OK' },
    why: 'The emulator does not look at the token.',
  },
  'a push subscription shows the version of the format, v1 when none was asked for, and may ask for the wrapper':
    {
      google: { default: 'none', given: 'v1beta2', wrapper: 'OK' },
      why: 'The emulator shows what it was given.',
    },
  'an unwrapped push is the data alone, with the metadata and the attributes as headers': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement push_config.no_wrapper.',
    why: 'Tributary reads the envelope.',
  },
  'a topic may have a message_storage_policy': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement topic.message_storage_policy.',
    why: 'The local Pub/Sub has no regions.',
  },
  'a topic may have a kms_key_name': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement topic.kms_key_name.',
    why: 'The local Pub/Sub does not encrypt.',
  },
  'a topic may have ingestion_data_source_settings': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement topic.ingestion_data_source_settings.',
    why: 'Nothing is read from other clouds.',
  },
  'a topic may have message_transforms': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement topic.message_transforms.',
    why: 'Taken but not applied, transforms would hide mistakes.',
  },
  'a subscription may have a bigquery_config': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.bigquery_config.',
    why: 'Tributary writes to BigQuery itself; the emulator takes the setting and writes nothing.',
  },
  'a subscription may have a cloud_storage_config': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.cloud_storage_config.',
    why: 'The emulator takes the setting and writes nothing.',
  },
  'a subscription may have message_transforms': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.message_transforms.',
    why: 'Taken but not applied, transforms would hide mistakes.',
  },
  'a filter lets through the messages whose attributes match': {
    google: ['blue', 'none', 'red'],
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.filter.',
    why: 'The emulator takes a filter and ignores it, which shows only in the cloud.',
  },
  'a filter that cannot be parsed is refused': {
    google: 'OK',
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.filter.',
    why: 'The same.',
  },
  'messages of one ordering key are delivered in the order in which they were published': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.enable_message_ordering.',
    why: 'Tributary does not depend on order.',
  },
  'a message may have an ordering key though the subscription is not ordered': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement message.ordering_key.',
    why: 'The same.',
  },
  'a subscription delivers exactly once when it is asked to: a late acknowledgement is refused': {
    google: { inTime: 'OK', late: 'OK' },
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.enable_exactly_once_delivery.',
    why: 'Tributary absorbs copies by their ids; the emulator accepts a late acknowledgement.',
  },
  'a seek to a time before brings back what was acknowledged, where that is retained': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.retain_acked_messages.',
    why: 'Tributary replays from its warehouse.',
  },
  'a seek to a time to come acknowledges the backlog': {
    ours: 'UNIMPLEMENTED: The server does not implement the method Seek',
    why: 'The same.',
  },
  'a seek to a snapshot brings back what was not acknowledged when it was taken': {
    ours: 'UNIMPLEMENTED: The server does not implement the method CreateSnapshot',
    why: 'The same.',
  },
  'a snapshot of a topic is listed with it, and its labels can be changed': {
    google: 'UNIMPLEMENTED: Method google.pubsub.v1.Subscriber/UpdateSnapshot is unimplemented',
    ours: 'UNIMPLEMENTED: The server does not implement the method CreateSnapshot',
    why: 'The same; the emulator has no UpdateSnapshot.',
  },
  'a schema can be created, shown, listed, committed to, validated and deleted': {
    ours: {
      create: 'UNIMPLEMENTED: The server does not implement the method CreateSchema',
      twice: 'UNIMPLEMENTED: The server does not implement the method CreateSchema',
      get: 'UNIMPLEMENTED: The server does not implement the method GetSchema',
      list: 'UNIMPLEMENTED: The server does not implement the method ListSchemas',
      commit: 'UNIMPLEMENTED: The server does not implement the method CommitSchema',
      valid: 'UNIMPLEMENTED: The server does not implement the method ValidateSchema',
      invalid: 'UNIMPLEMENTED: The server does not implement the method ValidateSchema',
      delete: 'UNIMPLEMENTED: The server does not implement the method DeleteSchema',
      deleted: 'UNIMPLEMENTED: The server does not implement the method GetSchema',
    },
    why: 'Messages are batches of rows under a schema of their own.',
  },
  'a topic with a schema takes messages that match it and refuses others': {
    ours: 'UNIMPLEMENTED: The server does not implement the method CreateSchema',
    why: 'The same.',
  },
  'a topic cannot have a schema that does not exist': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement topic.schema_settings.',
    why: 'The same.',
  },
  'a subscription that is detached has no backlog and refuses to be pulled': {
    google: 'UNIMPLEMENTED: Method google.pubsub.v1.Publisher/DetachSubscription is unimplemented',
    ours: 'UNIMPLEMENTED: The server does not implement the method DetachSubscription',
    why: 'Neither has DetachSubscription.',
  },
  'the policy of a topic can be read': {
    google: 'UNIMPLEMENTED: ',
    ours: 'UNIMPLEMENTED: The server does not implement the method /google.iam.v1.IAMPolicy/GetIamPolicy',
    why: 'Neither has IAM.',
  },
  'the streaming client learns from the server that its subscription is ordered and exactly once': {
    ours: 'UNIMPLEMENTED: The local Pub/Sub does not implement subscription.enable_message_ordering.',
    why: 'Neither ordering nor exactly-once delivery is offered.',
  },
};
