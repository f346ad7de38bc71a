import { Cron } from 'croner';
import { z } from 'zod';
import { block, type Plan, type Policy, planned, text } from './plan.ts';
import { plannedFunctions } from './planned-functions.ts';

const jobShape = z.object({ schedule: text, time_zone: text, attempt_deadline: text });
const alertShape = z.object({
  conditions: block({ condition_prometheus_query_language: block({ query: text }) }),
});
const dashboardShape = z.object({ dashboard_json: z.string() });
const exclusionShape = z.object({ filter: z.string() });
const metricShape = z.object({ name: z.string(), filter: text, value_extractor: text });

/** Attributes whose value is a duration of Google's APIs: digits and `s`. */
const durations = new Set([
  'ack_deadline',
  'attempt_deadline',
  'auto_close',
  'duration',
  'evaluation_interval',
  'maximum_backoff',
  'max_backoff_duration',
  'message_retention_duration',
  'min_backoff_duration',
  'minimum_backoff',
]);

function* findDurations(value: unknown, path: string): Generator<[string, string]> {
  if (Array.isArray(value))
    for (const [index, it] of value.entries()) yield* findDurations(it, `${path}[${index}]`);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, it] of Object.entries(value)) {
      if (durations.has(name) && typeof it === 'string') yield [`${path}.${name}`, it];
      else yield* findDurations(it, `${path}.${name}`);
    }
  }
}

/** What Pub/Sub and Cloud Run measure by themselves, as far as alerts ask for it. */
const measuredByGoogle = new Set([
  'pubsub_googleapis_com:subscription_oldest_unacked_message_age',
  'pubsub_googleapis_com:subscription_num_undelivered_messages',
  'run_googleapis_com:request_count',
]);

function* metricsIn(plan: Plan): Generator<{ address: string; metric: string }> {
  const asked = [
    ...planned(plan, 'google_monitoring_alert_policy', alertShape).map(({ address, is }) => ({
      address,
      queries: is.conditions.flatMap((it) =>
        it.condition_prometheus_query_language.map(({ query }) => query),
      ),
    })),
    ...planned(plan, 'google_monitoring_dashboard', dashboardShape).map(({ address, is }) => ({
      address,
      queries: [...is.dashboard_json.matchAll(/"prometheusQuery":"([^"]*)/g)].map((match) => match[1]),
    })),
  ];
  for (const { address, queries } of asked) {
    for (const query of queries) {
      for (const [metric] of (query ?? '').matchAll(/\w+_googleapis_com:\w+/g)) yield { address, metric };
    }
  }
}

export const operationPolicies: readonly Policy[] = [
  {
    rule: 'schedules are cron that is understood, in a time zone that exists',
    *broken(plan) {
      for (const { address, is } of planned(plan, 'google_cloud_scheduler_job', jobShape)) {
        try {
          new Cron(is.schedule ?? '', {
            paused: true,
            timezone: is.time_zone ?? '',
            mode: '5-part',
          }).nextRun();
        } catch (error) {
          yield `${address}: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
    },
  },
  {
    rule: 'Cloud Scheduler waits between 15 seconds and 30 minutes',
    *broken(plan) {
      for (const { address, is } of planned(plan, 'google_cloud_scheduler_job', jobShape)) {
        const seconds = Number.parseInt(is.attempt_deadline ?? '0', 10);
        if (seconds < 15 || seconds > 1800) yield `${address} waits for ${is.attempt_deadline}`;
      }
    },
  },
  {
    rule: 'durations are seconds, such as 600s',
    *broken(plan) {
      for (const { address, change } of plan.resource_changes) {
        for (const [path, value] of findDurations(change.after, address)) {
          if (!/^\d+(\.\d{1,9})?s$/.test(value)) yield `${path} is ${value}`;
        }
      }
    },
  },
  {
    rule: 'alerts and the dashboard ask for metrics that there are',
    *broken(plan) {
      const counted = planned(plan, 'google_logging_metric', metricShape).map(
        ({ is }) => `logging_googleapis_com:user_${is.name.replace(/[^A-Za-z0-9]/g, '_')}_sum`,
      );
      const known = new Set([...counted, ...measuredByGoogle]);
      for (const { address, metric } of metricsIn(plan)) {
        if (!known.has(metric)) yield `${address} asks for ${metric}`;
      }
    },
  },
  {
    rule: 'of the requests to the data path only those that went well are left out of the log, which would cost more than Pub/Sub',
    *broken(plan) {
      const exclusions = planned(plan, 'google_logging_project_exclusion', exclusionShape);
      for (const { address, is } of exclusions) {
        if (!/ AND httpRequest\.status<400$/.test(is.filter)) yield `${address} leaves out what failed`;
        if (!is.filter.includes('log_id("run.googleapis.com/requests")'))
          yield `${address} leaves out more than requests`;
      }
      const onDataPath = plan.deployables.filter(({ host }) => host === 'own').map(({ name }) => name);
      for (const { target, name } of plannedFunctions(plan)) {
        const isLeftOut = exclusions.some(({ is }) => is.filter.includes(`"${name}"`));
        if (isLeftOut !== onDataPath.includes(target))
          yield `requests to ${target} that went well are ${isLeftOut ? 'not ' : ''}logged`;
      }
    },
  },
  {
    rule: 'the provider is of the version that was verified',
    *broken(plan) {
      for (const { full_name, version_constraint } of Object.values(plan.configuration.provider_config)) {
        if (full_name === 'registry.terraform.io/hashicorp/google' && version_constraint !== '~> 6.50')
          yield `${full_name} may be ${version_constraint ?? 'any version'}`;
      }
    },
  },
];
