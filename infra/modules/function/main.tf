# One Cloud Run function, from an archive that was built before.

locals {
  built = fileexists(var.archive)

  # What is called: the function, or the service that runs its image.
  service = var.instance_billed ? google_cloud_run_v2_service.this[0] : null
  name    = var.instance_billed ? local.service.name : google_cloudfunctions2_function.this.name
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

# The resource of a function cannot say that its instances are billed, and that of a service builds no image: its build_config
# only notes what a function was built with. So where instances shall be billed the function has another name and nobody who
# may call it: it builds the image that the service below runs.
resource "google_cloudfunctions2_function" "this" {
  name        = var.instance_billed ? "${var.name}-build" : var.name
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
    min_instance_count               = var.instance_billed ? 0 : var.min_instances
    max_instance_count               = var.max_instances
    ingress_settings                 = var.internal || var.instance_billed ? "ALLOW_INTERNAL_ONLY" : "ALLOW_ALL"
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

data "google_cloud_run_v2_service" "built" {
  count = var.instance_billed ? 1 : 0

  # Since this refers to it, Terraform reads it after the function was built anew and not before.
  name     = google_cloudfunctions2_function.this.name
  location = var.region
}

resource "google_cloud_run_v2_service" "this" {
  count = var.instance_billed ? 1 : 0

  name        = var.name
  location    = var.region
  description = "Tributary ${var.target}"
  ingress     = var.internal ? "INGRESS_TRAFFIC_INTERNAL_ONLY" : "INGRESS_TRAFFIC_ALL"

  # It holds no data, and must go where requests are billed again.
  deletion_protection = false

  template {
    service_account                  = var.service_account
    max_instance_request_concurrency = var.concurrency
    timeout                          = "${var.timeout_seconds}s"

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image          = data.google_cloud_run_v2_service.built[0].template[0].containers[0].image
      base_image_uri = data.google_cloud_run_v2_service.built[0].template[0].containers[0].base_image_uri

      resources {
        limits            = { cpu = tostring(var.cpu), memory = var.memory }
        cpu_idle          = false
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(var.environment, { FUNCTION_TARGET = var.target })
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = var.secret_ids[env.key]
              version = env.value
            }
          }
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = var.cpu >= 1
      error_message = "${var.target} must have one CPU at least to be billed by instances: https://cloud.google.com/run/docs/configuring/services/cpu"
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  # Those of the one go with it: by another key they are given anew where the other takes its name.
  for_each = { for key, member in var.invokers : var.instance_billed ? "${key}, by instances" : key => member }

  name     = local.name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}
