# What is deployed is told elsewhere, once: functions.json, tables/*.json, views/*.sql and log-metrics.json.

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = var.labels
}

data "google_project" "this" {
  project_id = var.project
}

locals {
  functions = { for it in jsondecode(file("${path.module}/functions.json")).functions : it.name => it }
  queues    = { for name, it in local.functions : name => it if it.trigger == "push" }
  jobs = merge([
    for name, it in local.functions : { for job in try(it.schedules, []) : job.name => merge(job, { function = name }) }
  ]...)

  archives = coalesce(var.archives, "${path.module}/../dist")
  number   = data.google_project.this.number

  # A function must know its own URL to tell for whom a token was made, and cannot refer to itself. That of the form
  # SERVICE-NUMBER.REGION.run.app is known before there is one:
  # https://cloud.google.com/run/docs/triggering/https-request#deterministic
  urls = { for name, it in local.functions : name => "https://${var.prefix}-${name}-${local.number}.${var.region}.run.app" }

  callers = join(",", concat([google_service_account.scheduler.email], sort(tolist(var.operators))))
  members = [for it in var.operators : endswith(it, ".gserviceaccount.com") ? "serviceAccount:${it}" : "user:${it}"]
}

resource "google_project_service" "api" {
  for_each = toset([
    "artifactregistry", "bigquery", "bigquerystorage", "cloudbuild", "cloudfunctions", "cloudresourcemanager",
    "cloudscheduler", "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
    "analyticsadmin", "analyticsdata", "youtube", "youtubeanalytics",
  ])

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  project         = var.project
  name            = "${var.prefix}-${each.key}"
  target          = each.key
  region          = var.region
  archive         = "${local.archives}/${each.key}${var.stock_framework && each.value.host == "own" ? ".framework" : ""}.zip"
  archive_bucket  = google_storage_bucket.archives.name
  build_account   = google_service_account.build.id
  service_account = google_service_account.function[each.key].email
  memory          = each.value.memory
  cpu             = each.value.cpu
  concurrency     = each.value.concurrency
  timeout_seconds = each.value.timeoutSeconds
  min_instances   = local.instances[each.key].min
  max_instances   = local.instances[each.key].max
  instance_billed = contains(var.instance_billed, each.key)
  internal        = each.value.trigger == "push"
  environment     = merge(try(each.value.environment, {}), local.environment[each.key])
  secrets         = local.may[each.key].youtube ? { for name, version in var.youtube_credentials : name => version if version != "" } : {}
  secret_ids      = { for name, it in google_secret_manager_secret.youtube : name => it.secret_id }

  # Who may call it without a token is for ingest alone; the others are called by their queue, their jobs and operators.
  invokers = each.value.trigger == "push" ? { queue = google_service_account.push[each.key].member } : (
    each.value.public ? (var.public_ingest ? { everyone = "allUsers" } : {}) : merge(
      { scheduler = google_service_account.scheduler.member },
      { for it in local.members : it => it },
    )
  )

  depends_on = [
    google_project_iam_member.build,
    google_storage_bucket_iam_member.function,
    google_secret_manager_secret_iam_member.youtube,
  ]
}

module "queue" {
  source   = "./modules/queue"
  for_each = local.queues

  topic                = each.value.topic
  subscription         = each.value.subscription
  ack_deadline_seconds = each.value.ackDeadlineSeconds
  url                  = local.urls[each.key]
  push_account         = google_service_account.push[each.key]
  agent                = "serviceAccount:service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  publishers           = { for name, it in local.may : name => google_service_account.function[name].member if contains(it.publishes, each.value.topic) }
  kms_key              = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}

module "warehouse" {
  source = "./modules/warehouse"

  project             = var.project
  dataset             = var.dataset
  location            = coalesce(var.dataset_location, var.region)
  tables              = "${path.module}/tables"
  views               = "${path.module}/views"
  expiry_days         = var.event_expiry_days == null ? {} : { event_log = var.event_expiry_days }
  deletion_protection = var.deletion_protection
  kms_key             = var.kms_key
  editors             = { for name, it in local.may : name => google_service_account.function[name].member if it.warehouse }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}

module "schedule" {
  source   = "./modules/schedule"
  for_each = local.jobs

  name             = "${var.prefix}-${each.key}"
  region           = var.region
  cron             = each.value.cron
  time_zone        = try(each.value.timeZone, "Etc/UTC")
  url              = local.urls[each.value.function]
  path             = each.value.path
  service_account  = google_service_account.scheduler.email
  deadline_seconds = local.functions[each.value.function].timeoutSeconds

  depends_on = [module.function]
}

module "alerts" {
  source = "./modules/alerts"

  project       = var.project
  number        = local.number
  log_metrics   = jsondecode(file("${path.module}/log-metrics.json")).metrics
  services      = { for name, it in module.function : name => it.name }
  subscriptions = { for name, it in module.queue : it.subscription => it.hold }
  emails        = var.alert_emails
  budget        = var.budget

  depends_on = [google_project_service.api]
}
