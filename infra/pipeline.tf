# Who deploys, where an operator wants Cloud Build to: cloudbuild*.yaml of the repository, behind an approval. What the
# account that deploys may do does not include this file: a change here is applied by a person.

locals {
  # Looking, by the service; a plan reads everything that the state names, and no data.
  reads = {
    bigquery        = ["datasets.get", "routines.get", "tables.get"]
    cloudbuild      = ["builds.get"]
    cloudfunctions  = ["functions.get"]
    cloudscheduler  = ["jobs.get"]
    iam             = ["roles.get", "serviceAccounts.get", "serviceAccounts.getIamPolicy"]
    logging         = ["exclusions.get", "logMetrics.get"]
    monitoring      = ["alertPolicies.get", "dashboards.get", "notificationChannels.get"]
    pubsub          = ["subscriptions.get", "subscriptions.getIamPolicy", "topics.get", "topics.getIamPolicy"]
    resourcemanager = ["projects.get", "projects.getIamPolicy"]
    run             = ["services.get", "services.getIamPolicy"]
    secretmanager   = ["secrets.get", "secrets.getIamPolicy"]
    serviceusage    = ["services.get", "services.list"]
    storage         = ["buckets.get", "buckets.getIamPolicy"]
  }

  # What functions, jobs, pushes and builds act as.
  acting = merge(
    { for name, it in google_service_account.function : name => it.id },
    { for name, it in google_service_account.push : "${name}-push" => it.id },
    { scheduler = google_service_account.scheduler.id, build = google_service_account.build.id },
  )
}

module "pipeline" {
  source = "./modules/pipeline"
  count  = var.pipeline == null ? 0 : 1

  project             = var.project
  region              = var.region
  prefix              = var.prefix
  repository          = var.pipeline.repository
  branch              = var.pipeline.branch
  state_bucket        = var.pipeline.state_bucket
  archive_bucket      = google_storage_bucket.archives.name
  approvers           = { for it in var.pipeline.approvers : it => endswith(it, ".gserviceaccount.com") ? "serviceAccount:${it}" : "user:${it}" }
  accounts            = local.acting
  read_permissions    = flatten([for service, names in local.reads : [for it in names : "${service}.${it}"]])
  granted_roles       = ["roles/bigquery.jobUser", "roles/cloudbuild.builds.builder"]
  deletion_protection = var.deletion_protection

  # That of Artifact Registry is to see the images that services run: of functions that are billed by instances.
  deploy_roles = [
    "roles/artifactregistry.reader", "roles/bigquery.dataOwner", "roles/cloudfunctions.developer", "roles/cloudscheduler.admin", "roles/iam.serviceAccountAdmin",
    "roles/logging.configWriter", "roles/monitoring.editor", "roles/pubsub.admin", "roles/run.admin",
    "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
  ]

  depends_on = [google_project_service.api]
}
