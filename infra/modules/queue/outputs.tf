output "subscription" {
  description = "The name of the subscription that pushes."
  value       = google_pubsub_subscription.push.name
}

output "hold" {
  description = "The name of the subscription that holds what was given up."
  value       = google_pubsub_subscription.hold.name
}
