import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../repository-files.ts';
import { readBuild } from '../cloudbuild/read-build.ts';
import { block, type Plan, type Policy, planned, text } from './plan.ts';

const accountShape = z.object({ account_id: z.string(), email: text });
const grantShape = z.object({
  role: text,
  member: text,
  condition: block({ expression: text }),
});
const roleShape = z.object({ role_id: z.string(), permissions: z.array(z.string()) });
const triggerShape = z.object({
  name: z.string(),
  filename: text,
  service_account: text,
  substitutions: z.record(z.string(), z.string()).nullish(),
  approval_config: block({ approval_required: z.boolean().nullish() }),
  repository_event_config: block({
    push: block({ branch: text }),
    pull_request: block({ branch: text, comment_control: text }),
  }),
});

const triggers = (plan: Plan) => planned(plan, 'google_cloudbuild_trigger', triggerShape);
const customRoles = (plan: Plan) => planned(plan, 'google_project_iam_custom_role', roleShape);

/** With what Terraform makes each type of resource, as a role on the project, and with what it looks at it. */
const needs: Readonly<Record<string, { deploy: string; also?: string; read: readonly string[] }>> = {
  google_bigquery_dataset: { deploy: 'roles/bigquery.dataOwner', read: ['bigquery.datasets.get'] },
  google_bigquery_dataset_iam_member: { deploy: 'roles/bigquery.dataOwner', read: ['bigquery.datasets.get'] },
  google_bigquery_routine: { deploy: 'roles/bigquery.dataOwner', read: ['bigquery.routines.get'] },
  google_bigquery_table: { deploy: 'roles/bigquery.dataOwner', read: ['bigquery.tables.get'] },
  // Who deploys an image must see it: https://cloud.google.com/artifact-registry/docs/integrate-cloud-run
  google_cloud_run_v2_service: {
    deploy: 'roles/run.admin',
    also: 'roles/artifactregistry.reader',
    read: ['run.services.get'],
  },
  google_cloud_run_v2_service_iam_member: { deploy: 'roles/run.admin', read: ['run.services.getIamPolicy'] },
  google_cloud_scheduler_job: { deploy: 'roles/cloudscheduler.admin', read: ['cloudscheduler.jobs.get'] },
  google_cloudfunctions2_function: {
    deploy: 'roles/cloudfunctions.developer',
    read: ['cloudfunctions.functions.get', 'run.services.get'],
  },
  google_logging_metric: { deploy: 'roles/logging.configWriter', read: ['logging.logMetrics.get'] },
  google_logging_project_exclusion: {
    deploy: 'roles/logging.configWriter',
    read: ['logging.exclusions.get'],
  },
  google_monitoring_alert_policy: {
    deploy: 'roles/monitoring.editor',
    read: ['monitoring.alertPolicies.get'],
  },
  google_monitoring_dashboard: { deploy: 'roles/monitoring.editor', read: ['monitoring.dashboards.get'] },
  google_monitoring_notification_channel: {
    deploy: 'roles/monitoring.editor',
    read: ['monitoring.notificationChannels.get'],
  },
  google_project_iam_member: {
    deploy: 'roles/resourcemanager.projectIamAdmin',
    read: ['resourcemanager.projects.getIamPolicy'],
  },
  google_project_service: {
    deploy: 'roles/serviceusage.serviceUsageAdmin',
    read: ['serviceusage.services.get', 'serviceusage.services.list'],
  },
  google_pubsub_subscription: { deploy: 'roles/pubsub.admin', read: ['pubsub.subscriptions.get'] },
  google_pubsub_subscription_iam_member: {
    deploy: 'roles/pubsub.admin',
    read: ['pubsub.subscriptions.getIamPolicy'],
  },
  google_pubsub_topic: { deploy: 'roles/pubsub.admin', read: ['pubsub.topics.get'] },
  google_pubsub_topic_iam_member: { deploy: 'roles/pubsub.admin', read: ['pubsub.topics.getIamPolicy'] },
  google_service_account: { deploy: 'roles/iam.serviceAccountAdmin', read: ['iam.serviceAccounts.get'] },
  google_service_account_iam_member: {
    deploy: 'roles/iam.serviceAccountAdmin',
    read: ['iam.serviceAccounts.getIamPolicy'],
  },
  google_storage_bucket: { deploy: 'roles/storage.admin', read: ['storage.buckets.get'] },
  google_storage_bucket_iam_member: { deploy: 'roles/storage.admin', read: ['storage.buckets.getIamPolicy'] },
  // Seen by a role on the bucket of archives.
  google_storage_bucket_object: { deploy: 'roles/storage.admin', read: [] },
  google_secret_manager_secret: { deploy: 'secrets', read: ['secretmanager.secrets.get'] },
  google_secret_manager_secret_iam_member: {
    deploy: 'secrets',
    read: ['secretmanager.secrets.getIamPolicy'],
  },
};

/** Given by hand, since they are not of the project: README.md of infra tells how. */
const outsideOfProject = ['google_billing_budget', 'google_kms_crypto_key_iam_member'];

/** What only a person applies, and the pipeline only looks at. */
const onlySeen: Readonly<Record<string, string>> = {
  google_cloudbuild_trigger: 'cloudbuild.builds.get',
  google_project_iam_custom_role: 'iam.roles.get',
};

/** Those of Cloud Build's accounts; there are none where no pipeline is asked for. */
function pipelineAccounts(plan: Plan): Map<string, string> {
  return new Map(
    planned(plan, 'google_service_account', accountShape)
      .filter(({ address }) => address.startsWith('module.pipeline'))
      .map(({ is }) => [
        `serviceAccount:${is.email}`,
        /-(pull-request|plan|deploy)$/.exec(is.account_id)?.[1] ?? '',
      ]),
  );
}

/** Which of Cloud Build's accounts may have a role on the project; a role of our own is named by its end. */
export function mayHaveOnProject(plan: Plan, member: string, role: string): boolean {
  if (role === 'roles/cloudbuild.builds.approver') return plan.variables.pipeline?.value != null;
  const account = pipelineAccounts(plan).get(member);
  if (account === undefined) return false;
  if (role === 'roles/logging.logWriter' || /^projects\/[^/]+\/roles\/\w+_plan$/.test(role)) return true;
  if (account !== 'deploy') return false;
  if (/^projects\/[^/]+\/roles\/\w+_secrets$/.test(role)) return true;
  return Object.values(needs).some(({ deploy, also }) => deploy === role || also === role);
}

/** Who makes functions may act as their accounts, and nobody else. */
export const mayActAs = (plan: Plan, member: string, role: string): boolean =>
  role === 'roles/iam.serviceAccountUser' && pipelineAccounts(plan).get(member) === 'deploy';

export const pipelinePolicies: readonly Policy[] = [
  {
    rule: 'the account that deploys gives no roles on the project but those that functions and builds have',
    *broken(plan) {
      const accounts = pipelineAccounts(plan);
      for (const { address, is } of planned(plan, 'google_project_iam_member', grantShape)) {
        if (is.role !== 'roles/resourcemanager.projectIamAdmin') continue;
        const limited =
          /^api\.getAttribute\('iam\.googleapis\.com\/modifiedGrantsByRole', \[\]\)\.hasOnly\(\[(.*)\]\)$/.exec(
            is.condition[0]?.expression ?? '',
          )?.[1];
        const given = planned(plan, 'google_project_iam_member', grantShape)
          .filter(
            ({ is: it }) =>
              !accounts.has(it.member ?? '') && !/^user:|approver$/.test(`${it.member}${it.role}`),
          )
          .map(({ is: it }) => `'${it.role}'`);
        const asked = [...new Set(given)].sort().join(', ');
        if (limited === undefined) yield `${address} may give any role`;
        else if (limited.split(', ').sort().join(', ') !== asked)
          yield `${address} may give ${limited}, and ${asked} are given`;
      }
    },
  },
  {
    rule: 'roles of our own read no data and no secrets',
    *broken(plan) {
      for (const { address, is } of customRoles(plan)) {
        for (const it of is.permissions) {
          const looks = /\.(get|list|getIamPolicy)$/.test(it) && !/objects|versions|getData/.test(it);
          const makes = /^secretmanager\.secrets\.(create|delete|setIamPolicy|update)$/.test(it);
          if (!(looks || (makes && is.role_id.endsWith('_secrets')))) yield `${address} permits ${it}`;
        }
      }
    },
  },
  {
    rule: 'the pipeline may look at all that is planned, and deploy all of it but itself',
    *broken(plan) {
      if (triggers(plan).length === 0) return;
      const permitted = new Set(customRoles(plan).flatMap(({ is }) => is.permissions));
      const deploying = [...pipelineAccounts(plan)].find(([, it]) => it === 'deploy')?.[0];
      const roles = planned(plan, 'google_project_iam_member', grantShape)
        .filter(({ is }) => is.member === deploying)
        .map(({ is }) => is.role ?? '');
      for (const type of new Set(
        plan.resource_changes.filter((it) => it.mode === 'managed').map((it) => it.type),
      )) {
        if (outsideOfProject.includes(type)) continue;
        const need = needs[type];
        const seen = onlySeen[type];
        if (need === undefined && seen === undefined) yield `nothing says what deploys a ${type}`;
        for (const it of need?.read ?? [seen ?? ''])
          if (!permitted.has(it)) yield `${it} is not permitted, for ${type}`;
        for (const needed of need === undefined ? [] : [need.deploy, ...(need.also ? [need.also] : [])]) {
          if (!roles.some((it) => it === needed || it.endsWith(`_${needed}`)))
            yield `${needed} is not given, for ${type}`;
        }
      }
    },
  },
  {
    rule: 'a trigger runs a file of the repository, as the account that it names, and sets what it declares',
    *broken(plan) {
      for (const { address, is } of triggers(plan)) {
        const file = is.filename ?? '';
        if (file === '' || !existsSync(join(ROOT, file))) {
          yield `${address} runs ${file || 'nothing'}, which is not there`;
          continue;
        }
        const declared = readBuild(file).substitutions ?? {};
        const given = is.substitutions ?? {};
        for (const name of Object.keys(given))
          if (!(name in declared)) yield `${address} sets ${name}, which ${file} does not declare`;
        for (const name of Object.keys(declared)) {
          if (/_(BUCKET|ACCOUNT)$/.test(name) && given[name] === undefined)
            yield `${address} does not set ${name}`;
        }
        if (!is.service_account?.includes(`/${given._SERVICE_ACCOUNT}@`))
          yield `${address} runs as ${is.service_account}, and ${file} as ${given._SERVICE_ACCOUNT}`;
      }
    },
  },
  {
    rule: 'nothing is applied without an approval, and code of strangers runs only when somebody asked for it',
    *broken(plan) {
      for (const { address, is } of triggers(plan)) {
        const applies = is.service_account?.includes('-deploy@') || is.filename === 'cloudbuild.apply.yaml';
        if (applies && is.approval_config[0]?.approval_required !== true)
          yield `${address} asks for no approval`;
        for (const { pull_request } of is.repository_event_config) {
          for (const { comment_control } of pull_request) {
            if (
              comment_control !== 'COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY' &&
              comment_control !== 'COMMENTS_ENABLED'
            )
              yield `${address} runs the code of anybody`;
            if (!is.service_account?.includes('-pull-request@'))
              yield `${address} runs pull requests as ${is.service_account}`;
          }
        }
      }
    },
  },
];
