import { publishAll } from '../shared/google/publish-all.ts';
import { createPublisher, type Message } from '../shared/google/pubsub-publisher.ts';
import { createSubscriber, type PulledMessage, type Subscriber } from '../shared/google/pubsub-subscriber.ts';
import { clientEnvironment, localProject } from './endpoints.ts';
import {
  CommandFailed,
  createProgress,
  exitInterrupted,
  formatNumber,
  readFlags,
  readFormat,
  readLimit,
  runCommand,
  watchInterrupt,
} from './terminal.ts';

const help = `Publishes what is in a dead-letter topic to its own topic again, and takes it out once Pub/Sub has acknowledged it.

Usage: npm run redrive [-- FLAGS]

  --dry-run           count the messages and leave them where they are
  --limit NUMBER      the most messages
  --topic NAME        the topic; its dead letters are in the subscription NAME-dead-hold   events
  --project NAME      the Google Cloud project, GOOGLE_CLOUD_PROJECT; local is npm start   local
  --format FORMAT     text or json                                                         text
  --help              this text

Messages that are dead-lettered after it began are left for the next time. Ctrl-C stops after the messages under way.
`;

interface Redriven {
  readonly topic: string;
  readonly dryRun: boolean;
  readonly messages: number;
  /** That were dead-lettered after the start. */
  readonly newer: number;
  /** Nothing older was left. */
  readonly complete: boolean;
}

async function main(): Promise<number> {
  const flags = readFlags(
    process.argv.slice(2),
    {
      'dry-run': { type: 'boolean', default: false },
      limit: { type: 'string' },
      topic: { type: 'string', default: 'events' },
      project: { type: 'string' },
      format: { type: 'string', default: 'text' },
      help: { type: 'boolean', short: 'h' },
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  const { topic } = flags;
  if (!/^[A-Za-z][\w.~+%-]{2,240}$/.test(topic)) {
    throw new CommandFailed(`--topic must be the short name of a topic, not ${JSON.stringify(topic)}.`);
  }
  const format = readFormat(flags.format);
  const limit = readLimit(flags.limit) ?? Number.POSITIVE_INFINITY;
  const project = flags.project ?? (process.env.GOOGLE_CLOUD_PROJECT || localProject);
  const environment = clientEnvironment(project, process.env);
  const subscriber = createSubscriber(project, `${topic}-dead-hold`, environment);
  const publisher = createPublisher(project, topic, environment);
  const isInterrupted = watchInterrupt();
  try {
    const redriven = await redrive({
      subscriber,
      publish: (messages) => publishAll(publisher.send, messages, publishWithinMs),
      topic,
      dryRun: flags['dry-run'],
      limit,
      isLocal: project === localProject,
      isInterrupted,
    });
    process.stdout.write(format === 'json' ? `${JSON.stringify(redriven)}\n` : describe(redriven));
    return !redriven.complete && isInterrupted() ? exitInterrupted : 0;
  } catch (error) {
    throw explain(error, project, topic);
  } finally {
    await Promise.all([subscriber.close(), publisher.close()]);
  }
}

interface RedriveOptions {
  readonly subscriber: Subscriber;
  readonly publish: (messages: readonly Message[]) => Promise<void>;
  readonly topic: string;
  readonly dryRun: boolean;
  readonly limit: number;
  readonly isLocal: boolean;
  readonly isInterrupted: () => boolean;
}

const publishWithinMs = 10_000;
const mostPulled = 100;
/** A pull without an answer for so long found nothing; a subscription is empty when it happens twice. */
const pullWithinMs = 2_500;
/** The local Pub/Sub answers from its own memory, once the first pull has connected. */
const localPullWithinMs = 500;

async function redrive(options: RedriveOptions): Promise<Redriven> {
  const { subscriber, publish, topic, dryRun, limit, isLocal, isInterrupted } = options;
  const startedAt = Date.now();
  const progress = createProgress();
  /** Kept until the end, or they would be pulled again at once; a lease that ends meanwhile brings them all the same. */
  const held: PulledMessage[] = [];
  const seen = new Set<string>();
  let newer = 0;
  let messages = 0;
  let emptyPulls = 0;
  let withinMs = pullWithinMs;
  try {
    while (emptyPulls < 2 && messages < limit && !isInterrupted()) {
      const pulled = await subscriber.pull(Math.min(mostPulled, limit - messages), withinMs);
      if (isLocal) withinMs = localPullWithinMs;
      const older = pulled.filter(
        ({ publishedAt, messageId }) => publishedAt.getTime() <= startedAt && !seen.has(messageId),
      );
      const others = pulled.filter((message) => !older.includes(message));
      newer += others.filter(({ messageId }) => !seen.has(messageId)).length;
      held.push(...others);
      for (const { messageId } of dryRun ? pulled : others) seen.add(messageId);
      emptyPulls = older.length === 0 ? emptyPulls + 1 : 0;
      if (older.length === 0) continue;
      // Until they are taken out they are given back, whatever happens.
      held.push(...older);
      if (!dryRun) {
        await publish(older.map(withoutTraces));
        await subscriber.acknowledge(older.map(({ ackId }) => ackId));
        held.splice(-older.length);
      }
      messages += older.length;
      progress.show(`${formatNumber(messages)} messages ${dryRun ? 'counted' : `published to ${topic}`}`);
    }
  } finally {
    progress.end();
    await release(subscriber, held);
  }
  return { topic, dryRun, messages, newer, complete: emptyPulls >= 2 || messages >= limit };
}

/** As it was before it was dead-lettered: cloud.google.com/pubsub/docs/dead-letter-topics adds four attributes. */
function withoutTraces({ data, attributes }: PulledMessage): Message {
  const kept = Object.entries(attributes).filter(([name]) => !name.startsWith('CloudPubSubDeadLetterSource'));
  return { data, attributes: Object.fromEntries(kept) };
}

async function release(subscriber: Subscriber, held: readonly PulledMessage[]): Promise<void> {
  for (let start = 0; start < held.length; start += 1_000) {
    await subscriber.release(held.slice(start, start + 1_000).map(({ ackId }) => ackId));
  }
}

function describe({ topic, dryRun, messages, newer, complete }: Redriven): string {
  const left =
    newer === 0
      ? ''
      : `${formatNumber(newer)} were dead-lettered meanwhile and are left for the next time.\n`;
  if (messages === 0 && complete) return `Nothing to redrive: ${topic}-dead-hold is empty.\n${left}`;
  const done = dryRun ? `would be published to ${topic} again` : `are published to ${topic} again`;
  return `${formatNumber(messages)} messages ${done}.\n${left}${complete ? '' : 'Stopped before the end; run it again to go on.\n'}`;
}

function explain(error: unknown, project: string, topic: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === notFound) {
    return new CommandFailed(`There is no subscription ${topic}-dead-hold in the project ${project}.`);
  }
  if (code === unavailable && project === localProject) {
    return new CommandFailed(
      'The local Pub/Sub does not answer: start it with npm start, or name its port (PUBSUB_PORT).',
    );
  }
  return error;
}

// google.rpc.Code
const notFound = 5;
const unavailable = 14;

await runCommand(main);
