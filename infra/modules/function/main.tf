# One Cloud Run function, from an archive that was built before.

locals {
  built = fileexists(var.archive)
}

resource "google_storage_bucket_object" "archive" {
  # Another content is another object, and that another revision.
  name   = "${var.target}-${local.built ? filesha256(var.archive) : "missing"}.zip"
  bucket = var.archive_bucket
  source = var.archive

  lifecycle {
    precondition {
      condition     = local.built
      error_message = "There is no ${var.archive}: run npm run build first, or say in archives where its archives are."
    }
  }
}

resource "google_cloudfunctions2_function" "this" {
  name        = var.name
  location    = var.region
  description = "Tributary ${var.target}"

  build_config {
    runtime         = "nodejs24"
    entry_point     = var.target
    service_account = var.build_account

    source {
      storage_source {
        bucket = var.archive_bucket
        object = google_storage_bucket_object.archive.name
      }
    }
  }

  service_config {
    service_account_email            = var.service_account
    available_memory                 = var.memory
    available_cpu                    = tostring(var.cpu)
    max_instance_request_concurrency = var.concurrency
    timeout_seconds                  = var.timeout_seconds
    min_instance_count               = var.min_instances
    max_instance_count               = var.max_instances
    ingress_settings                 = var.internal ? "ALLOW_INTERNAL_ONLY" : "ALLOW_ALL"
    all_traffic_on_latest_revision   = true
    environment_variables            = var.environment

    dynamic "secret_environment_variables" {
      for_each = var.secrets
      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = var.secret_ids[secret_environment_variables.key]
        version    = secret_environment_variables.value
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.concurrency == 1 || var.cpu >= 1
      error_message = "${var.target} must have one CPU at least to serve more than one request at once: https://cloud.google.com/run/docs/configuring/services/cpu"
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  name     = google_cloudfunctions2_function.this.name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}
