# A job of Cloud Scheduler that posts to a function, with a token for the function's URL without the path.

resource "google_cloud_scheduler_job" "this" {
  name      = var.name
  region    = var.region
  schedule  = var.cron
  time_zone = var.time_zone
  # Cloud Scheduler waits for 30 minutes at the most: https://cloud.google.com/scheduler/docs/reference/rest
  attempt_deadline = "${min(max(var.deadline_seconds, 15), 1800)}s"

  http_target {
    http_method = "POST"
    uri         = "${var.url}${var.path}"

    oidc_token {
      service_account_email = var.service_account
      audience              = var.url
    }
  }

  retry_config {
    retry_count          = 1
    min_backoff_duration = "30s"
  }
}
