output "name" {
  description = "Its name in Google Cloud."
  value       = local.name
}

output "url" {
  description = "The URL that Google gave it."
  value       = var.instance_billed ? local.service.uri : google_cloudfunctions2_function.this.service_config[0].uri
}
