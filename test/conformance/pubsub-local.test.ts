import { describeTarget } from './pubsub/describe-target.ts';
import { startLocal } from './pubsub/start-local.ts';

describeTarget('ours', 'the local Pub/Sub does what Google documents, or refuses it by name:', startLocal);
