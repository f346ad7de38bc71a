output "subscription" {
  value = google_pubsub_subscription.push.name
}

output "hold" {
  value = google_pubsub_subscription.hold.name
}
