# What the functions count, as metrics of Cloud Monitoring; who is told when something is wrong; and a dashboard.

resource "google_logging_metric" "this" {
  for_each = { for it in var.log_metrics : it.name => it }

  name             = each.key
  description      = each.value.description
  filter           = each.value.filter
  value_extractor  = each.value.valueExtractor
  label_extractors = each.value.labelExtractors

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.labelExtractors
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.emails

  display_name = "Tributary: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
}

locals {
  channels = [for it in google_monitoring_notification_channel.email : it.id]

  # The name of a metric of Cloud Monitoring in PromQL: https://cloud.google.com/monitoring/promql/promql-mapping
  counted = { for it in var.log_metrics : it.name => "logging_googleapis_com:user_${replace(it.name, "/[^A-Za-z0-9]/", "_")}_sum" }
  within  = { for name, metric in local.counted : name => "sum(increase(${metric}{monitored_resource=\"cloud_run_revision\"}[10m]))" }

  services      = join("|", values(var.services))
  subscriptions = join("|", keys(var.subscriptions))
  holds         = join("|", values(var.subscriptions))

  alerts = {
    oldest-message = {
      title    = "Messages wait: the oldest is over ten minutes old"
      query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${local.subscriptions}\"}) > 600"
      for      = "300s"
      severity = "ERROR"
      what     = "A function does not acknowledge what Pub/Sub pushes: npm run status -- --project ${var.project} counts what waits, its log says why. Mend or roll back the function; what waits is then delivered by itself. Nothing is lost for seven days."
    }
    dead-letters = {
      title    = "Messages were given up after 100 attempts"
      query    = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${local.holds}\"}) > 0"
      for      = "0s"
      severity = "CRITICAL"
      what     = "They are kept for seven days. The log of the function that the topic is pushed to says why. Mend the cause, then run npm run redrive -- --project ${var.project} --topic TOPIC; with --dry-run it only counts them."
    }
    spill-not-drained = {
      title    = "What was spilled does not drain"
      query    = "${local.within["tributary/replay.batches.failed"]} > 0"
      for      = "1800s"
      severity = "ERROR"
      what     = "Pub/Sub has taken nothing back for half an hour, and the spill bucket holds the only copy: delete nothing there. The log of replay says why. Once Pub/Sub takes messages again, the bucket drains by itself within minutes."
    }
    unstored = {
      title    = "Requests could not be stored at all"
      query    = "${local.within["tributary/ingest.requests.unstored"]} > 0"
      for      = "0s"
      severity = "CRITICAL"
      what     = "Neither Pub/Sub nor the spill bucket took them. They were answered 503, which many SDKs do not send again, so events are being lost. The log of ingest says what refused: look at https://status.cloud.google.com, the quotas, and whether its service account may still publish and write."
    }
    quarantine-share = {
      title    = "More than a twentieth of the events is refused"
      query    = "${local.within["tributary/ingest.events.quarantined"]} / ${local.within["tributary/ingest.events.received"]} > 0.05"
      for      = "600s"
      severity = "WARNING"
      what     = "SELECT project, reason, field, ANY_VALUE(detail), COUNT(*) FROM quarantine_open GROUP BY 1, 2, 3 shows who sends what, and what would be right (docs/quarantine.md). Mend the settings, or have the sender mended; then npm run replay -- --all --dry-run tells what would come back."
    }
    poll-failures = {
      title    = "The poll of reports fails"
      query    = "(${local.within["tributary/reports.ticks.failed"]} > 0) or (${local.within["tributary/reports.groups.failed"]} > 0)"
      for      = "7200s"
      severity = "ERROR"
      what     = "npm run reports -- status shows which property or channel; the log of reports-poll says why: an access that was taken away, a credential that was revoked (docs/reports.md), a quota. What was missed is read once it works again."
    }
    fold-failures = {
      title    = "Profiles and identities are not kept up to date"
      query    = "${local.within["tributary/fold.ticks.failed"]} > 0"
      for      = "1800s"
      severity = "ERROR"
      what     = "fold has failed for half an hour; events come in all the same. Its log says why. Once that is mended npm run fold or the next tick makes up for all."
    }
    access-changed = {
      title    = "Access to Google Analytics was changed"
      query    = "${local.within["tributary/permissions.writes"]} > 0"
      for      = "0s"
      severity = "WARNING"
      what     = "Who, whom and what: SELECT * FROM access_audit ORDER BY occurred_at DESC. It is told of every change, also of those that are wanted; what is not is taken back by npm run access (docs/access.md)."
    }
    access-incomplete = {
      title    = "A change of access could be neither done nor undone"
      query    = "${local.within["tributary/permissions.requests.incomplete"]} > 0"
      for      = "0s"
      severity = "CRITICAL"
      what     = "access_audit shows what stayed, and the answer to the request told how each binding is and how it should be. Look at those bindings in Google Analytics, and ask for the rest with a new request: npm run access -- plan (docs/access.md, How it ends)."
    }
    error-rate = {
      title    = "A function answers errors"
      query    = "sum by (service_name) (rate(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${local.services}\",response_code_class=\"5xx\"}[10m])) / sum by (service_name) (rate(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=~\"${local.services}\"}[10m])) > 0.05"
      for      = "600s"
      severity = "ERROR"
      what     = "More than a twentieth of its answers is 5xx. Its log says why. After a deployment roll back to the revision before; what senders and Pub/Sub send again is not counted twice."
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = "Tributary: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = each.value.for
      evaluation_interval = "60s"
    }
  }

  documentation {
    content   = each.value.what
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.this]
}

resource "google_monitoring_dashboard" "this" {
  dashboard_json = jsonencode({
    displayName = "Tributary"
    gridLayout = {
      columns = "3"
      widgets = [
        for name, metric in local.counted : {
          title = trimprefix(name, "tributary/")
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = "sum by (function) (increase(${metric}{monitored_resource=\"cloud_run_revision\"}[$${__interval}]))" }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.this]
}

resource "google_billing_budget" "this" {
  count = var.budget == null ? 0 : 1

  billing_account = var.budget.billing_account
  display_name    = "Tributary in ${var.project}"

  budget_filter {
    projects = ["projects/${var.number}"]
  }

  amount {
    specified_amount {
      units = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  all_updates_rule {
    monitoring_notification_channels = local.channels
    disable_default_iam_recipients   = false
  }
}
