# Whose services use the key of the operator, where there is one: each encrypts as an account of its own.

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = var.kms_key == null ? {} : {
    pubsub   = "service-${local.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    storage  = "service-${local.number}@gs-project-accounts.iam.gserviceaccount.com"
    bigquery = "bq-${local.number}@bigquery-encryption.iam.gserviceaccount.com"
  }

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"

  depends_on = [google_project_service.api]
}
