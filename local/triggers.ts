import type { Deployable } from '../shared/deployables.ts';
import type { Ports } from './index.ts';
import type { Queue } from './queues.ts';
import type { Job } from './scheduler/index.ts';

export const ACCOUNT_DOMAIN = 'local.iam.gserviceaccount.com';
/** Who the jobs of the scheduler call as, and who commands do. */
const SCHEDULER_ACCOUNT = `scheduler@${ACCOUNT_DOMAIN}`;
export const OPERATOR_ACCOUNT = `operator@${ACCOUNT_DOMAIN}`;

/** What Pub/Sub pushes to the function, if anything. */
export function queueOf(deployable: Deployable, ports: Ports): Queue[] {
  if (deployable.trigger !== 'push') return [];
  const audience = `http://127.0.0.1:${portOf(deployable, ports)}`;
  return [
    {
      topic: deployable.topic,
      subscription: deployable.subscription,
      endpoint: `${audience}/`,
      audience,
      serviceAccount: `${deployable.name}-push@${ACCOUNT_DOMAIN}`,
      ackDeadlineSeconds: deployable.ackDeadlineSeconds,
    },
  ];
}

/** When the scheduler calls the function. */
export function jobsOf(deployable: Deployable, ports: Ports): Job[] {
  if (deployable.trigger !== 'http') return [];
  const audience = `http://127.0.0.1:${portOf(deployable, ports)}`;
  return deployable.schedules.map(({ name, cron, timeZone, path }) => ({
    name,
    cron,
    timeZone,
    url: `${audience}${path}`,
    audience,
    serviceAccount: SCHEDULER_ACCOUNT,
    attemptDeadlineSeconds: deployable.timeoutSeconds,
    retryCount: 1,
    minimumBackoffSeconds: 30,
  }));
}

/** What the function is told of who may call it. */
export function triggerEnvironment(deployable: Deployable, ports: Ports): Record<string, string> {
  if (deployable.trigger === 'http') {
    if (deployable.public) return {};
    return {
      AUDIENCE: `http://127.0.0.1:${portOf(deployable, ports)}`,
      CALLERS: `${SCHEDULER_ACCOUNT},${OPERATOR_ACCOUNT}`,
      TIMEOUT_SECONDS: String(deployable.timeoutSeconds),
    };
  }
  const [queue] = queueOf(deployable, ports);
  if (queue === undefined) return {};
  return {
    PUSH_AUDIENCE: queue.audience,
    PUSH_SERVICE_ACCOUNT: queue.serviceAccount,
    ACK_DEADLINE_SECONDS: String(queue.ackDeadlineSeconds),
  };
}

export function portOf({ name }: Deployable, ports: Ports): number {
  const port = ports.functions[name];
  if (port === undefined) throw new Error(`There is no port for the function ${name}.`);
  return port;
}
