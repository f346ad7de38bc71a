import { z } from 'zod';
import { mayActAs, mayHaveOnProject } from './pipeline.ts';
import { type Plan, type Policy, planned, text } from './plan.ts';

const grantShape = z.object({ role: text, member: text });
const bucketShape = z.object({
  name: z.string(),
  force_destroy: z.boolean().nullish(),
  uniform_bucket_level_access: z.boolean().nullish(),
  public_access_prevention: text,
});

/** Every role that may be given, and to what: https://cloud.google.com/iam/docs/roles-permissions */
const allowed: Readonly<Record<string, readonly string[]>> = {
  // The two that are on the whole project, beside those of the pipeline: a job of BigQuery is in no dataset, a build
  // writes logs and images.
  google_project_iam_member: ['roles/bigquery.jobUser', 'roles/cloudbuild.builds.builder'],
  google_storage_bucket_iam_member: [
    'roles/storage.objectCreator',
    'roles/storage.objectUser',
    'roles/storage.objectViewer',
  ],
  google_bigquery_dataset_iam_member: ['roles/bigquery.dataEditor', 'roles/bigquery.dataViewer'],
  google_pubsub_topic_iam_member: ['roles/pubsub.publisher'],
  google_pubsub_subscription_iam_member: ['roles/pubsub.subscriber'],
  google_secret_manager_secret_iam_member: ['roles/secretmanager.secretAccessor'],
  google_service_account_iam_member: ['roles/iam.serviceAccountTokenCreator'],
  google_cloud_run_v2_service_iam_member: ['roles/run.invoker'],
  google_kms_crypto_key_iam_member: ['roles/cloudkms.cryptoKeyEncrypterDecrypter'],
};

const grantTypes = (plan: Plan) =>
  new Set(plan.resource_changes.map(({ type }) => type).filter((type) => /_iam_member$/.test(type)));

export const accessPolicies: readonly Policy[] = [
  {
    rule: 'only listed roles are given, each on one resource but for those that must be on the project',
    *broken(plan) {
      for (const type of grantTypes(plan)) {
        for (const { address, is } of planned(plan, type, grantShape)) {
          const role = is.role ?? '';
          const isAllowed =
            allowed[type]?.includes(role) ||
            (type === 'google_project_iam_member' && mayHaveOnProject(plan, is.member ?? '', role)) ||
            (type === 'google_service_account_iam_member' && mayActAs(plan, is.member ?? '', role));
          if (!isAllowed) yield `${address} gives ${role} to ${is.member}`;
        }
      }
    },
  },
  {
    rule: 'everyone is given nothing but the right to call',
    *broken(plan) {
      for (const type of grantTypes(plan)) {
        if (type === 'google_cloud_run_v2_service_iam_member') continue;
        for (const { address, is } of planned(plan, type, grantShape)) {
          if (/^all(Authenticated)?Users$/.test(is.member ?? '')) yield `${address} is for ${is.member}`;
        }
      }
    },
  },
  {
    rule: 'buckets are closed to the public, and none that holds data is emptied, unless that is asked for',
    *broken(plan) {
      const mayDelete = plan.variables.deletion_protection?.value === false;
      for (const { address, is } of planned(plan, 'google_storage_bucket', bucketShape)) {
        if (is.public_access_prevention !== 'enforced') yield `${address} may be opened to the public`;
        if (is.uniform_bucket_level_access !== true) yield `${address} has access by object`;
        // Archives are built anew from the repository.
        if (is.force_destroy === true && !mayDelete && !is.name.endsWith('-archives'))
          yield `${address} may be emptied`;
      }
    },
  },
  {
    rule: 'no secret has its value in the plan',
    *broken(plan) {
      const types = ['google_secret_manager_secret_version', 'google_service_account_key'];
      for (const { address, type } of plan.resource_changes) {
        if (types.includes(type)) yield `${address} puts a secret into the state`;
      }
    },
  },
];
