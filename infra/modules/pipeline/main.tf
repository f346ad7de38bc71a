# Three triggers of Cloud Build, each with an account of its own: what a pull request runs is anybody's code, so its account
# reads what is deployed and nothing else; that of main also keeps plans; the one that deploys runs after an approval.

locals {
  accounts = {
    pull-request = "Cloud Build, as it tests and plans pull requests"
    plan         = "Cloud Build, as it tests main and saves a plan"
    deploy       = "Cloud Build, as it applies a plan that was approved"
  }
  parent = "projects/${var.project}"
}

resource "google_service_account" "this" {
  for_each = local.accounts

  account_id   = "${var.prefix}-${each.key}"
  display_name = each.value
}

# With an account of one's own Cloud Build keeps logs in Cloud Logging, as that account.
resource "google_project_iam_member" "logs" {
  for_each = local.accounts

  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.this[each.key].member
}

# A role of our own, since roles/viewer would read the tables and objects too.
resource "google_project_iam_custom_role" "read" {
  role_id     = "${var.prefix}_plan"
  title       = "Tributary: see what is deployed, and no data"
  permissions = var.read_permissions
}

resource "google_project_iam_member" "read" {
  for_each = local.accounts

  project = var.project
  role    = "${local.parent}/roles/${google_project_iam_custom_role.read.role_id}"
  member  = google_service_account.this[each.key].member
}

# Of the whole of roles/secretmanager.admin, which also reads what is secret.
resource "google_project_iam_custom_role" "secrets" {
  role_id     = "${var.prefix}_secrets"
  title       = "Tributary: make secrets, and not read them"
  permissions = [for it in ["create", "delete", "setIamPolicy", "update"] : "secretmanager.secrets.${it}"]
}

resource "google_project_iam_member" "deploy" {
  for_each = toset(concat(var.deploy_roles, ["${local.parent}/roles/${google_project_iam_custom_role.secrets.role_id}"]))

  project = var.project
  role    = each.value
  member  = google_service_account.this["deploy"].member
}

# It may give the roles that infra gives on the project, and no other, not even to itself.
# https://cloud.google.com/iam/docs/setting-limits-on-granting-roles
resource "google_project_iam_member" "grant" {
  project = var.project
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.this["deploy"].member

  condition {
    title      = "only-what-functions-need"
    expression = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([${join(", ", [for it in var.granted_roles : "'${it}'"])}])"
  }
}

# Functions, jobs and pushes act as these accounts, and who makes them must be allowed to.
resource "google_service_account_iam_member" "act_as" {
  for_each = var.accounts

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.this["deploy"].member
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = { for it in keys(local.accounts) : it => it == "deploy" ? "roles/storage.objectUser" : "roles/storage.objectViewer" }

  bucket = var.state_bucket
  role   = each.value
  member = google_service_account.this[each.key].member
}

resource "google_storage_bucket_iam_member" "archives" {
  for_each = toset(["pull-request", "plan"])

  bucket = var.archive_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.this[each.key].member
}

# A plan that is not applied within a month is of no use: by then the state has moved.
resource "google_storage_bucket" "plans" {
  name                        = "${var.project}-${var.prefix}-plans"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 30
    }
  }
}

resource "google_storage_bucket_iam_member" "plans" {
  for_each = { plan = "roles/storage.objectUser", deploy = "roles/storage.objectViewer" }

  bucket = google_storage_bucket.plans.name
  role   = each.value
  member = google_service_account.this[each.key].member
}

resource "google_project_iam_member" "approver" {
  for_each = var.approvers

  project = var.project
  role    = "roles/cloudbuild.builds.approver"
  member  = each.value
}

resource "google_cloudbuild_trigger" "pull_request" {
  name               = "${var.prefix}-pull-request"
  description        = "Tests a pull request, and plans it"
  location           = var.region
  filename           = "cloudbuild.pull-request.yaml"
  service_account    = google_service_account.this["pull-request"].id
  include_build_logs = "INCLUDE_BUILD_LOGS_WITH_STATUS"

  substitutions = {
    _SERVICE_ACCOUNT = google_service_account.this["pull-request"].account_id
    _STATE_BUCKET    = var.state_bucket
  }

  repository_event_config {
    repository = var.repository
    pull_request {
      branch = "^${var.branch}$"
      # Code of strangers runs once somebody of the repository looked at it and wrote /gcbrun.
      comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
    }
  }
}

resource "google_cloudbuild_trigger" "plan" {
  name            = "${var.prefix}-plan"
  description     = "Tests ${var.branch}, and saves a plan of it"
  location        = var.region
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.this["plan"].id

  substitutions = {
    _PLANS_BUCKET    = google_storage_bucket.plans.name
    _SERVICE_ACCOUNT = google_service_account.this["plan"].account_id
    _STATE_BUCKET    = var.state_bucket
  }

  repository_event_config {
    repository = var.repository
    push {
      branch = "^${var.branch}$"
    }
  }
}

resource "google_cloudbuild_trigger" "apply" {
  name            = "${var.prefix}-apply"
  description     = "Applies the plan of ${var.prefix}-plan for the same commit"
  location        = var.region
  filename        = "cloudbuild.apply.yaml"
  service_account = google_service_account.this["deploy"].id

  substitutions = {
    _PLANS_BUCKET    = google_storage_bucket.plans.name
    _SERVICE_ACCOUNT = google_service_account.this["deploy"].account_id
    _STATE_BUCKET    = var.state_bucket
  }

  approval_config {
    approval_required = true
  }

  repository_event_config {
    repository = var.repository
    push {
      branch = "^${var.branch}$"
    }
  }
}
