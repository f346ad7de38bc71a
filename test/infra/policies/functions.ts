import { z } from 'zod';
import { readVariables } from '../read-variables.ts';
import { amount, block, type Plan, type Policy, planned, text } from './plan.ts';

const functionShape = z.object({
  name: z.string(),
  build_config: block({ runtime: text, entry_point: text }),
  service_config: block({
    service_account_email: text,
    max_instance_count: amount,
    min_instance_count: amount,
    timeout_seconds: amount,
    ingress_settings: text,
    environment_variables: z.record(z.string(), z.string()).nullish(),
  }),
});

const subscriptionShape = z.object({
  name: z.string(),
  ack_deadline_seconds: amount,
  push_config: block({ push_endpoint: text }),
});

/** The functions of a plan, each with the target that it runs. */
export function plannedFunctions(plan: Plan) {
  return planned(plan, 'google_cloudfunctions2_function', functionShape).map(({ address, is }) => ({
    address,
    name: is.name,
    target: is.build_config[0]?.entry_point ?? '',
    runtime: is.build_config[0]?.runtime ?? '',
    service: is.service_config[0],
    environment: is.service_config[0]?.environment_variables ?? {},
  }));
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
      for (const { address, runtime } of plannedFunctions(plan)) {
        if (!runtimes.includes(runtime)) yield `${address}: ${runtime} is none of ${runtimes.join(', ')}`;
      }
    },
  },
  {
    rule: 'every function has a limit of instances',
    *broken(plan) {
      for (const { address, service } of plannedFunctions(plan)) {
        if ((service?.max_instance_count ?? 0) < 1) yield `${address} has no max_instance_count`;
      }
    },
  },
  {
    rule: 'every function acts as an account of its own',
    *broken(plan) {
      const seen = new Map<string, string>();
      for (const { address, service } of plannedFunctions(plan)) {
        const account = service?.service_account_email ?? '';
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
      for (const { address, service, environment } of plannedFunctions(plan)) {
        const deadline = Number(environment.ACK_DEADLINE_SECONDS ?? 0);
        if (deadline >= (service?.timeout_seconds ?? 0)) yield `${address} ends before ${deadline} s`;
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
