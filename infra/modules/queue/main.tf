# A topic whose messages are pushed to one function. What it refuses a hundred times goes to a dead-letter topic, which
# keeps it for seven days: a topic without a subscription would keep nothing.

locals {
  seven_days = "${7 * 24 * 3600}s"
}

resource "google_pubsub_topic" "this" {
  name         = var.topic
  kms_key_name = var.kms_key
}

resource "google_pubsub_topic" "dead" {
  name         = "${var.topic}-dead"
  kms_key_name = var.kms_key
}

resource "google_pubsub_subscription" "push" {
  name                       = var.subscription
  topic                      = google_pubsub_topic.this.id
  ack_deadline_seconds       = var.ack_deadline_seconds
  message_retention_duration = local.seven_days

  push_config {
    push_endpoint = "${var.url}/"

    oidc_token {
      service_account_email = var.push_account.email
      audience              = var.url
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead.id
    max_delivery_attempts = 100
  }

  # Never: otherwise it goes after 31 days without a message.
  expiration_policy {
    ttl = ""
  }

  # Without these Pub/Sub counts no attempts, and drops what it cannot move.
  depends_on = [google_pubsub_topic_iam_member.dead_letters]
}

resource "google_pubsub_subscription" "hold" {
  name                       = "${google_pubsub_topic.dead.name}-hold"
  topic                      = google_pubsub_topic.dead.id
  message_retention_duration = local.seven_days

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves messages: it publishes to the dead-letter topic and acknowledges at the subscription.
# https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.dead.name
  role   = "roles/pubsub.publisher"
  member = var.agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = var.agent
}

# Projects from before April 2021 need it, and others have it anyway.
resource "google_service_account_iam_member" "tokens" {
  service_account_id = var.push_account.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = var.agent
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers

  topic  = google_pubsub_topic.this.name
  role   = "roles/pubsub.publisher"
  member = each.value
}
