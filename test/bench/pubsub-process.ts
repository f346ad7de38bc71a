// A local Pub/Sub in a process of its own, so that its CPU is not counted with what publishes to it.
import { PubSub } from '@google-cloud/pubsub';
import { startPubSub } from '../../local/pubsub/index.ts';

const server = await startPubSub({ port: 0, file: ':memory:' });
process.send?.({ port: server.port });
process.on('message', async ({ createTopic }: { createTopic: string }) => {
  const pubsub = new PubSub({
    projectId: 'local',
    apiEndpoint: `127.0.0.1:${server.port}`,
    emulatorMode: true,
  });
  await pubsub.createTopic(createTopic);
  await pubsub.close();
  process.send?.({ created: createTopic });
});
