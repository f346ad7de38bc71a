import { type Fault, fault } from './fault.ts';

const FUNCTION = 'modules/function/main.tf';
const PIPELINE = 'modules/pipeline/main.tf';

/** Of who deploys, and after whose approval. */
export const deploying: readonly Fault[] = [
  fault('validate', 'an approval that is misspelt', PIPELINE, 'approval_required', 'approval_needed'),
  fault(
    'validate',
    'comments that are controlled by no rule',
    PIPELINE,
    '"COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"',
    '"COMMENTS_OF_STRANGERS"',
  ),
  fault(
    'policy',
    'an apply without an approval',
    PIPELINE,
    'approval_required = true',
    'approval_required = false',
  ),
  fault(
    'policy',
    'pull requests of strangers that run at once',
    PIPELINE,
    '"COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"',
    '"COMMENTS_DISABLED"',
  ),
  fault(
    'policy',
    'pull requests that run as the account that deploys',
    PIPELINE,
    'service_account    = google_service_account.this["pull-request"].id',
    'service_account    = google_service_account.this["deploy"].id',
  ),
  fault(
    'policy',
    'a trigger of a file that is not there',
    PIPELINE,
    '"cloudbuild.apply.yaml"',
    '"cloudbuild.deploy.yaml"',
  ),
  fault(
    'policy',
    'a substitution that the file does not declare',
    PIPELINE,
    '_PLANS_BUCKET    =',
    '_PLAN_BUCKET     =',
  ),
  fault(
    'policy',
    'a pipeline that may give every role',
    'pipeline.tf',
    '["roles/bigquery.jobUser", ',
    '["roles/owner", "roles/bigquery.jobUser", ',
  ),
  fault(
    'policy',
    'a pipeline that owns the project',
    'pipeline.tf',
    '"roles/bigquery.dataOwner"',
    '"roles/owner"',
  ),
  fault(
    'policy',
    'a pipeline that reads secrets',
    'pipeline.tf',
    '["secrets.get", ',
    '["secrets.get", "versions.access", ',
  ),
  fault('policy', 'a look that a plan needs, and may not', 'pipeline.tf', '["jobs.get"]', '["jobs.list"]'),
  fault(
    'test',
    'open requests that are deleted after a month',
    'buckets.tf',
    '"access/plans/" = 30',
    '"access/" = 30',
  ),
];

/** Of functions that are billed by instances. */
export const billing: readonly Fault[] = [
  fault(
    'validate',
    'an image that a service has under another name',
    FUNCTION,
    'template[0].containers[0].image\n',
    'template[0].containers[0].image_uri\n',
  ),
  fault(
    'policy',
    'instances that are billed by their requests',
    FUNCTION,
    'cpu_idle          = false',
    'cpu_idle          = true',
  ),
  fault(
    'policy',
    'a service that runs what was there before its function is built',
    FUNCTION,
    'data.google_cloud_run_v2_service.built[0].template[0].containers[0].image\n',
    '"us-docker.pkg.dev/cloudrun/container/hello"\n',
  ),
  fault(
    'policy',
    'a function that only builds, and can be reached',
    FUNCTION,
    'var.internal || var.instance_billed ?',
    'var.internal ?',
  ),
  fault(
    'policy',
    'callers of what only builds, and none of what it builds',
    FUNCTION,
    'name     = local.name',
    'name     = google_cloudfunctions2_function.this.name',
  ),
  fault(
    'policy',
    'a service without a limit',
    FUNCTION,
    '      max_instance_count = var.max_instances\n    }\n',
    '    }\n',
  ),
  fault(
    'policy',
    'a deployer that may not see what it deploys',
    'pipeline.tf',
    '"roles/artifactregistry.reader", ',
    '',
  ),
];
