output "name" {
  description = "Its name in Google Cloud."
  value       = google_cloudfunctions2_function.this.name
}

output "url" {
  description = "The URL that Google gave it."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
