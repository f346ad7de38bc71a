output "plans" {
  description = "The bucket that keeps plans."
  value       = google_storage_bucket.plans.name
}

output "triggers" {
  description = "The names of the triggers."
  value = {
    pull_request = google_cloudbuild_trigger.pull_request.name
    plan         = google_cloudbuild_trigger.plan.name
    apply        = google_cloudbuild_trigger.apply.name
  }
}
