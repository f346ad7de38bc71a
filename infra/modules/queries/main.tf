# Views and, where a query has arguments, table functions, none of which reads another one of them.

resource "google_bigquery_table" "view" {
  for_each = { for name, it in var.queries : name => it if length(it.arguments) == 0 }

  dataset_id          = var.dataset
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false

  view {
    query          = each.value.sql
    use_legacy_sql = false
  }
}

resource "google_bigquery_routine" "function" {
  for_each = { for name, it in var.queries : name => it if length(it.arguments) > 0 }

  dataset_id      = var.dataset
  routine_id      = each.key
  description     = each.value.description
  routine_type    = "TABLE_VALUED_FUNCTION"
  language        = "SQL"
  definition_body = each.value.sql

  dynamic "arguments" {
    for_each = each.value.arguments
    content {
      name      = arguments.value.name
      data_type = jsonencode({ typeKind = arguments.value.type })
    }
  }
}
