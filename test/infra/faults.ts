import { type Fault, fault } from './fault.ts';
import { billing, deploying } from './faults-of-deploying.ts';

const FUNCTION = 'modules/function/main.tf';
const QUEUE = 'modules/queue/main.tf';
const WAREHOUSE = 'modules/warehouse/main.tf';
const SCHEDULE = 'modules/schedule/main.tf';
const ALERTS = 'modules/alerts/main.tf';

const missed = (name: string, file: string, find: string, replace: string, because: string): Fault => ({
  ...fault('nothing', name, file, find, replace),
  because,
});

const shape: readonly Fault[] = [
  fault('init', 'a brace too many', 'main.tf', 'module "queue" {', 'module "queue" {{'),
  fault('init', 'a module that is not there', 'main.tf', './modules/queue"', './modules/queues"'),
  fault(
    'validate',
    'a misspelt argument',
    FUNCTION,
    'max_instance_request_concurrency',
    'max_instance_concurrency',
  ),
  fault('validate', 'no role in a grant', FUNCTION, '  role     = "roles/run.invoker"\n', ''),
  fault('validate', 'no URI in a job', SCHEDULE, `    uri         = "\${var.url}\${var.path}"\n`, ''),
  fault(
    'validate',
    'a resource that is not there',
    QUEUE,
    'google_pubsub_topic.dead.id\n    max',
    'google_pubsub_topic.died.id\n    max',
  ),
  fault(
    'validate',
    'an attribute that is not there',
    'access.tf',
    'google_service_account.build.member',
    'google_service_account.build.members',
  ),
  fault('validate', 'a variable that is not there', 'main.tf', 'var.public_ingest', 'var.public'),
  fault('validate', 'a local that is not there', 'access.tf', 'local.callers', 'local.caller'),
  fault('plan', 'an output that a module has not', 'main.tf', 'it.hold }', 'it.holding }'),
  fault(
    'validate',
    'a misspelt argument of a module',
    'main.tf',
    'ack_deadline_seconds = each',
    'ack_deadline = each',
  ),
  fault(
    'validate',
    'an argument of a module left out',
    'main.tf',
    '  url                  = local.urls[each.key]\n',
    '',
  ),
  fault(
    'validate',
    'a type of resource that is none',
    QUEUE,
    '"google_pubsub_topic" "dead"',
    '"google_pubsub_topics" "dead"',
  ),
  fault('validate', 'a block that is none', QUEUE, 'retry_policy {', 'retry_policies {'),
  fault(
    'validate',
    'a word for a boolean',
    'buckets.tf',
    'force_destroy               = true',
    'force_destroy               = "maybe"',
  ),
  fault(
    'validate',
    'a block twice',
    SCHEDULE,
    '  retry_config {',
    '  retry_config {\n  }\n\n  retry_config {',
  ),
  fault('validate', 'a value that is none of an enumeration', ALERTS, '"DELTA"', '"DIFFERENCE"'),
  fault(
    'plan',
    'a default that its own rule refuses',
    'variables.tf',
    'default     = "tributary"\n  nullable    = false\n\n  validation {\n    condition     = can(regex("^[a-z][a-z0-9]{0,11}$"',
    'default     = "Tributary_"\n  nullable    = false\n\n  validation {\n    condition     = can(regex("^[a-z][a-z0-9]{0,11}$"',
  ),
  fault(
    'validate',
    "a secret's value in Terraform",
    'access.tf',
    '# Containers:',
    'resource "google_secret_manager_secret_version" "it" {\n  secret      = "x"\n  secret_data = "y"\n}\n\n# Containers:',
  ),
];

const evaluated: readonly Fault[] = [
  fault('plan', 'an ingress that is none', FUNCTION, '"ALLOW_ALL"', '"ALLOW_EVERYONE"'),
  fault('plan', 'many requests at once on half a CPU', 'functions.json', '"cpu": 1,', '"cpu": 0.5,'),
  fault(
    'plan',
    'a function that nothing says the access of',
    'functions.json',
    '"name": "replay",',
    '"name": "replays",',
  ),
  fault('plan', 'a table that is no JSON', 'tables/event_log.json', '"clusterBy": [', '"clusterBy": [,'),
  fault('plan', 'a table without clustering', 'tables/event_log.json', '"clusterBy"', '"clustering"'),
  fault(
    'plan',
    'a view that reads itself',
    'views/events.sql',
    '`tributary.event_log`',
    '`tributary.events`',
  ),
  fault(
    'plan',
    'an alert on a metric that is gone',
    'log-metrics.json',
    '"name": "tributary/replay.batches.failed"',
    '"name": "tributary/replay.batches.fail"',
  ),
  fault('validate', 'a bucket that is gone', 'buckets.tf', '"reports", "access"]', '"reports"]'),
  fault('plan', 'archives of another name', 'main.tf', '.framework" : ""}.zip"', '.framework" : ""}.tar"'),
];

const values: readonly Fault[] = [
  fault('policy', 'a provider that was not verified', 'versions.tf', '"~> 6.50"', '">= 6.50"'),
  fault('policy', 'a cron that is none', 'functions.json', '"*/5 * * * *"', '"61 * * * *"'),
  fault('policy', 'a duration in minutes', QUEUE, '"600s"', '"10m"'),
  fault(
    'policy',
    'a deadline above that of Cloud Scheduler',
    SCHEDULE,
    'min(max(var.deadline_seconds, 15), 1800)',
    'var.deadline_seconds * 2',
  ),
  fault('policy', 'a method of HTTP that is none', SCHEDULE, '"POST"', '"PUSH"'),
  fault('policy', 'a partition that is none', WAREHOUSE, '"DAY"', '"DAILY"'),
  fault('policy', 'a role that is none', WAREHOUSE, '"roles/bigquery.dataEditor"', '"roles/bigquery.editor"'),
  fault('policy', 'a runtime that is none', FUNCTION, '"nodejs24"', '"nodejs23"'),
  fault(
    'policy',
    'a type of column that is none',
    'tables/event_log.json',
    '"type": "TIMESTAMP"',
    '"type": "TIMESTAMPZ"',
  ),
  fault('policy', 'clustering by no column', 'tables/event_log.json', '    "kind",', '    "kinds",'),
  fault(
    'policy',
    'partitions by no column',
    'tables/event_log.json',
    '"partitionBy": "occurred_at"',
    '"partitionBy": "occurred"',
  ),
  fault(
    'policy',
    'Pub/Sub may not publish dead letters',
    QUEUE,
    'topic  = google_pubsub_topic.dead.name\n  role   = "roles/pubsub.publisher"',
    'topic  = google_pubsub_topic.dead.name\n  role   = "roles/pubsub.viewer"',
  ),
  fault(
    'policy',
    'Pub/Sub may not take dead letters out',
    QUEUE,
    '"roles/pubsub.subscriber"',
    '"roles/pubsub.viewer"',
  ),
  fault(
    'policy',
    'nothing holds dead letters',
    QUEUE,
    'topic                      = google_pubsub_topic.dead.id\n',
    'topic                      = google_pubsub_topic.this.id\n',
  ),
  fault('policy', 'dead letters after five attempts', QUEUE, '= 100', '= 5'),
  fault(
    'policy',
    'a subscription that goes after 31 days',
    QUEUE,
    '  # Never: otherwise it goes after 31 days without a message.\n  expiration_policy {\n    ttl = ""\n  }\n',
    '',
  ),
  fault('policy', 'a push for another audience', QUEUE, '= var.url\n', `= "\${var.url}/"\n`),
  fault('policy', 'a job for another audience', SCHEDULE, '= var.url\n', `= "\${var.url}\${var.path}"\n`),
  fault(
    'policy',
    'a push that nobody lets in',
    'main.tf',
    '{ queue = google_service_account.push[each.key].member }',
    '{ queue = google_service_account.scheduler.member }',
  ),
  fault(
    'policy',
    'a private function that all may call',
    'functions.json',
    '"public": false,',
    '"public": true,',
  ),
  fault('policy', 'a role on the project', 'access.tf', '"roles/bigquery.jobUser"', '"roles/bigquery.admin"'),
  fault(
    'policy',
    'a function without a limit',
    FUNCTION,
    '    max_instance_count               = var.max_instances\n',
    '',
  ),
  fault(
    'policy',
    'a function as the default account',
    FUNCTION,
    '    service_account_email            = var.service_account\n',
    '',
  ),
  fault(
    'policy',
    'a function that is cut off before Pub/Sub is',
    'functions.json',
    '"timeoutSeconds": 120,',
    '"timeoutSeconds": 30,',
  ),
  fault(
    'policy',
    'a variable that the function needs left out',
    'access.tf',
    '      PUSH_SERVICE_ACCOUNT = google_service_account.push[name].email\n',
    '',
  ),
  fault(
    'policy',
    'a variable that no function reads',
    'access.tf',
    'TIMEOUT_SECONDS = tostring',
    'TIMEOUT = tostring',
  ),
  fault(
    'policy',
    'views without the project',
    WAREHOUSE,
    `"\`\${var.project}.\${var.dataset}."`,
    `"\`\${var.dataset}."`,
  ),
  fault('policy', 'an alert on a metric that is none', ALERTS, '}_sum" }', '}_total" }'),
  fault('policy', 'buckets that Terraform may empty', 'buckets.tf', '= !var.deletion_protection', '= true'),
  fault('policy', 'a bucket that may be opened to all', 'buckets.tf', '"enforced"', '"inherited"'),
  fault(
    'policy',
    'tables that Terraform may delete',
    WAREHOUSE,
    '  deletion_protection = var.deletion_protection',
    '  deletion_protection = false',
  ),
];

const beyond: readonly Fault[] = [
  missed(
    'a role that is too weak',
    'access.tf',
    '{ spill = "roles/storage.objectUser" }',
    '{ spill = "roles/storage.objectViewer" }',
    'The role exists; that replay deletes what it drained is known to its code alone.',
  ),
  missed(
    'an alert whose PromQL is broken',
    ALERTS,
    '}[10m]))" }',
    '}[10m])" }',
    'Its names are checked and not its grammar: no parser of PromQL is at hand.',
  ),
];

/** Every fault that was seeded, in the order of the layers. */
export const faults: readonly Fault[] = [
  ...shape,
  ...evaluated,
  ...values,
  ...deploying,
  ...billing,
  ...beyond,
];
