locals {
  # spill: batches that Pub/Sub did not take. settings: what operators write. The others: leases, journals and state.
  buckets      = toset(["spill", "settings", "fold", "reports", "access"])
  bucket_names = { for it in local.buckets : it => "${var.project}-${var.prefix}-${it}" }
}

resource "google_storage_bucket" "data" {
  for_each = local.buckets

  name                        = local.bucket_names[each.key]
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  # Settings and journals are written over; what they were can be found again.
  versioning {
    enabled = contains(["settings", "access"], each.key)
  }

  dynamic "lifecycle_rule" {
    for_each = contains(["settings", "access"], each.key) ? [90] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        days_since_noncurrent_time = lifecycle_rule.value
        with_state                 = "ARCHIVED"
      }
    }
  }

  dynamic "lifecycle_rule" {
    for_each = each.key == "spill" && var.spill_expiry_days != null ? [var.spill_expiry_days] : []
    content {
      action {
        type = "Delete"
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }

  # What permissions keeps of a request is of use until it has ended, which is minutes, or a day; who asks for its outcome
  # again does so soon. What was changed is in access_audit for good. Leases and what is open are taken away when they end.
  dynamic "lifecycle_rule" {
    for_each = each.key == "access" ? { "access/plans/" = 30, "access/requests/" = 90, "access/resources/" = 90 } : {}
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
        with_state     = "LIVE"
      }
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.agent]
}

resource "google_storage_bucket" "archives" {
  name                        = "${var.project}-${var.prefix}-archives"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true

  depends_on = [google_project_service.api]
}
