import { z } from 'zod';
import { readVariables } from '../read-variables.ts';
import { amount, block, type Plan, type Policy, planned, text } from './plan.ts';
import { plannedBuilds, plannedFunctions } from './planned-functions.ts';

const subscriptionShape = z.object({
  name: z.string(),
  ack_deadline_seconds: amount,
  push_config: block({ push_endpoint: text }),
});

const invokerGrant = z.object({ name: text, role: text, member: text });

/** Who may invoke a function, by its name. */
export function invokers(plan: Plan, name: string): string[] {
  return planned(plan, 'google_cloud_run_v2_service_iam_member', invokerGrant)
    .filter(({ is }) => is.name === name && is.role === 'roles/run.invoker')
    .map(({ is }) => is.member ?? '');
}

/** Runtimes of Node that take new functions: https://cloud.google.com/functions/docs/runtime-support */
const runtimes = ['nodejs20', 'nodejs22', 'nodejs24'];

export const functionPolicies: readonly Policy[] = [
  {
    rule: 'every function of functions.json is deployed, and no other',
    *broken(plan) {
      const targets = plannedFunctions(plan).map(({ target }) => target);
      const names = plan.deployables.map(({ name }) => name);
      for (const name of names) if (!targets.includes(name)) yield `${name} is not deployed`;
      for (const target of targets) if (!names.includes(target)) yield `${target} is not in functions.json`;
    },
  },
  {
    rule: 'functions run on a runtime that Google has',
    *broken(plan) {
      for (const { asFunction, runtime } of plannedBuilds(plan)) {
        if (!runtimes.includes(runtime))
          yield `${asFunction.address}: ${runtime} is none of ${runtimes.join(', ')}`;
      }
    },
  },
  {
    rule: 'every function has a limit of instances',
    *broken(plan) {
      for (const { address, maxInstances } of plannedFunctions(plan)) {
        if (maxInstances < 1) yield `${address} has no max_instance_count`;
      }
    },
  },
  {
    rule: 'every function acts as an account of its own',
    *broken(plan) {
      const seen = new Map<string, string>();
      for (const { address, account } of plannedFunctions(plan)) {
        if (account === '') yield `${address} acts as the default account`;
        const other = seen.get(account);
        if (other !== undefined) yield `${address} acts as ${account}, as ${other} does`;
        seen.set(account, address);
      }
    },
  },
  {
    rule: 'a function that is pushed to is given longer than Pub/Sub waits',
    *broken(plan) {
      for (const { address, timeoutSeconds, environment } of plannedFunctions(plan)) {
        const deadline = Number(environment.ACK_DEADLINE_SECONDS ?? 0);
        if (deadline >= timeoutSeconds) yield `${address} ends before ${deadline} s`;
      }
    },
  },
  {
    rule: 'what a function is told of its subscription is so',
    *broken(plan) {
      const subscriptions = planned(plan, 'google_pubsub_subscription', subscriptionShape);
      for (const { address, environment } of plannedFunctions(plan)) {
        const audience = environment.PUSH_AUDIENCE;
        if (audience === undefined) continue;
        const found = subscriptions.find(({ is }) => is.push_config[0]?.push_endpoint?.startsWith(audience));
        if (found === undefined) yield `${address}: nothing is pushed to ${audience}`;
        else if (String(found.is.ack_deadline_seconds) !== environment.ACK_DEADLINE_SECONDS)
          yield `${address}: ACK_DEADLINE_SECONDS is not that of ${found.is.name}`;
      }
    },
  },
  {
    rule: 'instances are billed of the functions of instance_billed, and of no other',
    *broken(plan) {
      const wanted = z.array(z.string()).parse(plan.variables.instance_billed?.value ?? []);
      for (const { address, target, billed } of plannedFunctions(plan)) {
        const by = wanted.includes(target) ? 'instances' : 'requests';
        if (billed.by !== by) yield `${address} is billed by ${billed.by}, and ${target} shall be by ${by}`;
      }
    },
  },
  {
    rule: 'what is billed by instances runs what its own function builds, which nobody calls and which keeps no instance',
    *broken(plan) {
      for (const { address, billed } of plannedFunctions(plan)) {
        if (billed.by === 'instances' && billed.image !== undefined)
          yield `${address} runs ${billed.image}, which is there before its function is built`;
      }
      for (const { asFunction, minInstances, builds } of plannedBuilds(plan)) {
        if (builds === undefined) continue;
        const { address, name, target, internal } = asFunction;
        if (target !== builds.target) yield `${address} builds ${target} for ${builds.target}`;
        if (!internal) yield `${address} can be reached`;
        if (minInstances > 0) yield `${address} keeps ${minInstances} instances`;
        for (const caller of invokers(plan, name)) yield `${caller} may call ${address}`;
      }
    },
  },
  {
    rule: 'functions have the variables that they need, and none that they do not read',
    *broken(plan) {
      const deployables = new Map(plan.deployables.map((it) => [it.name, it]));
      for (const { address, target, environment } of plannedFunctions(plan)) {
        const deployable = deployables.get(target);
        if (deployable === undefined) continue;
        const known = readVariables(deployable.folder);
        for (const name of Object.keys(environment)) {
          if (!known.has(name) && !(name in deployable.environment)) yield `${address} does not read ${name}`;
        }
        for (const [name, { needed, only }] of known) {
          if (needed && (only === undefined || only === target) && environment[name] === undefined)
            yield `${address} lacks ${name}`;
        }
      }
    },
  },
];
