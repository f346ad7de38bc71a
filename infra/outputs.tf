output "ingest_url" {
  description = "Where SDKs send to."
  value       = local.urls["ingest"]
}

output "urls" {
  description = "The URL of every function, by its name."
  value       = local.urls
}

output "buckets" {
  description = "The buckets, by what they hold."
  value       = local.bucket_names
}

output "service_accounts" {
  description = "Whom each function acts as: these are given access to Google Analytics."
  value       = { for name, it in google_service_account.function : name => it.email }
}

output "youtube_secrets" {
  description = "The secrets that wait for a credential of YouTube, by the name in reports.yaml."
  value       = { for name, it in google_secret_manager_secret.youtube : name => it.secret_id }
}

output "try" {
  description = "A command that shows the newest events."
  value       = "bq query --project_id=${var.project} --use_legacy_sql=false 'SELECT occurred_at, project, name, user_id FROM `${var.project}.${var.dataset}.events_between`(TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR), TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)) ORDER BY received_at DESC LIMIT 10'"
}

output "pipeline" {
  description = "The triggers of Cloud Build and the bucket of plans, or null where there is no pipeline."
  value       = one([for it in module.pipeline : { plans = it.plans, triggers = it.triggers }])
}
