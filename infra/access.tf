# What each function may do, and the variables that name what it may do it to: one follows from the other.

locals {
  # By the name in functions.json: its buckets, what it reads of the settings bucket, topics that it publishes to,
  # whether it writes the warehouse, whether it asks queries there, and whether it gets the credentials of YouTube.
  access = {
    ingest = {
      buckets   = { spill = "roles/storage.objectCreator" }, reads = "settings"
      publishes = ["events"], warehouse = false, queries = false, youtube = false
    }
    load = {
      buckets   = {}, reads = null
      publishes = [], warehouse = true, queries = false, youtube = false
    }
    replay = {
      buckets   = { spill = "roles/storage.objectUser" }, reads = "settings"
      publishes = ["events"], warehouse = true, queries = true, youtube = false
    }
    fold = {
      buckets   = { fold = "roles/storage.objectUser" }, reads = "settings"
      publishes = [], warehouse = true, queries = true, youtube = false
    }
    permissions = {
      buckets   = { access = "roles/storage.objectUser" }, reads = "policy"
      publishes = [], warehouse = true, queries = false, youtube = false
    }
    reports-poll = {
      buckets   = { reports = "roles/storage.objectUser" }, reads = "reports"
      publishes = ["pulls"], warehouse = true, queries = true, youtube = true
    }
    reports-pull = {
      buckets   = { reports = "roles/storage.objectUser" }, reads = "reports"
      publishes = [], warehouse = true, queries = true, youtube = true
    }
  }

  # A function that is not named there may do nothing, and the plan fails with the reason.
  may = {
    for name, it in local.functions : name => try(local.access[name], {
      buckets = {}, reads = null, publishes = [], warehouse = false, queries = false, youtube = false
    })
  }

  # One instance of what works one at a time, and of permissions, which counts its quota within one instance.
  instances = {
    for name, it in local.functions : name => try(var.instances[name], {
      min = 0
      max = it.trigger == "push" ? 20 : it.public ? 100 : 1
    })
  }

  settings_url = "gs://${local.bucket_names.settings}"
  read_variables = {
    settings = { SETTINGS = "${local.settings_url}/settings.json", SETTINGS_OPTIONAL = tostring(var.settings_optional) }
    reports  = { REPORTS = "${local.settings_url}/reports.yaml", REPORTS_OPTIONAL = "true" }
    policy = {
      POLICY         = "${local.settings_url}/access-policy.json"
      GOOGLE_ACCOUNT = google_service_account.function["permissions"].email
    }
  }

  trigger_variables = {
    for name, it in local.functions : name => it.trigger == "push" ? tomap({
      PUSH_AUDIENCE        = local.urls[name]
      PUSH_SERVICE_ACCOUNT = google_service_account.push[name].email
      ACK_DEADLINE_SECONDS = tostring(it.ackDeadlineSeconds)
      }) : it.public ? tomap({}) : tomap({
      AUDIENCE        = local.urls[name]
      CALLERS         = local.callers
      TIMEOUT_SECONDS = tostring(it.timeoutSeconds)
    })
  }

  environment = {
    for name, it in local.functions : name => merge(
      { GOOGLE_CLOUD_PROJECT = var.project },
      local.may[name].warehouse ? { DATASET = var.dataset } : {},
      { for topic in local.may[name].publishes : "${upper(topic)}_TOPIC" => topic },
      { for bucket in keys(local.may[name].buckets) : "${upper(bucket)}_BUCKET" => local.bucket_names[bucket] },
      local.may[name].reads == null ? {} : local.read_variables[local.may[name].reads],
      local.trigger_variables[name],
    )
  }

  bucket_roles = merge(flatten([
    for name, it in local.may : [
      { for bucket, role in it.buckets : "${name}-${bucket}" => { function = name, bucket = bucket, role = role } },
      it.reads == null ? {} : {
        "${name}-settings" = { function = name, bucket = "settings", role = "roles/storage.objectViewer" }
      },
    ]
  ])...)
}

resource "google_service_account" "function" {
  for_each = local.functions

  account_id   = "${var.prefix}-${each.key}"
  display_name = "Function ${each.key}"

  lifecycle {
    precondition {
      condition     = contains(keys(local.access), each.key)
      error_message = "${each.key} stands in functions.json, and access.tf does not say what it may do."
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_service_account" "push" {
  for_each = local.queues

  account_id   = "${var.prefix}-${each.key}-push"
  display_name = "Pub/Sub, as it pushes to ${each.key}"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "scheduler" {
  account_id   = "${var.prefix}-scheduler"
  display_name = "Cloud Scheduler, as it calls functions"

  depends_on = [google_project_service.api]
}

resource "google_service_account" "build" {
  account_id   = "${var.prefix}-build"
  display_name = "Cloud Build, as it builds functions"

  depends_on = [google_project_service.api]
}

# Roles on the project are these two alone, beside those of pipeline.tf. Jobs of BigQuery belong to no dataset, and builds write logs and images.
resource "google_project_iam_member" "queries" {
  for_each = { for name, it in local.may : name => it if it.queries }

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function[each.key].member
}

resource "google_project_iam_member" "build" {
  project = var.project
  role    = "roles/cloudbuild.builds.builder"
  member  = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = local.bucket_roles

  bucket = google_storage_bucket.data[each.value.bucket].name
  role   = each.value.role
  member = google_service_account.function[each.value.function].member
}

# Containers: a secret's value is added by hand (README.md) and never passes through Terraform or its state.
resource "google_secret_manager_secret" "youtube" {
  for_each = var.youtube_credentials

  # As `npm run reports -- authorize` calls it: reports-network of YOUTUBE_NETWORK.
  secret_id           = "reports-${lower(replace(trimprefix(each.key, "YOUTUBE_"), "_", "-"))}"
  deletion_protection = var.deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.api]
}

resource "google_secret_manager_secret_iam_member" "youtube" {
  for_each = merge([
    for name, it in local.may : {
      for credential in keys(var.youtube_credentials) : "${name}-${credential}" => { function = name, credential = credential }
    } if it.youtube
  ]...)

  secret_id = google_secret_manager_secret.youtube[each.value.credential].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
