// A local Pub/Sub in a process of its own, so that its CPU is not counted with what publishes to it.
import { startPubSub } from '../../local/pubsub/index.ts';

const server = await startPubSub({ port: 0, file: ':memory:' });
process.send?.({ port: server.port });
process.on('message', () => process.send?.({ counts: server.counts() }));
