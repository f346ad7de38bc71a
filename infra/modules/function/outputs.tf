output "name" {
  value = google_cloudfunctions2_function.this.name
}

output "url" {
  value = google_cloudfunctions2_function.this.service_config[0].uri
}
