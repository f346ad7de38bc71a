# The dataset with the tables of tables/*.json, and the views and table functions of views/*.sql.

locals {
  tables = { for path in fileset(var.tables, "*.json") : trimsuffix(path, ".json") => jsondecode(file("${var.tables}/${path}")) }

  sources = { for path in fileset(var.views, "*.sql") : trimsuffix(path, ".sql") => trimspace(file("${var.views}/${path}")) }
  reads   = { for name, sql in local.sources : name => setintersection(keys(local.sources), flatten(regexall("`tributary\\.(\\w+)`", sql))) }

  # A view can be made once those that it reads are there: those that read none, then those that read these, and so on.
  first  = toset([for name, reads in local.reads : name if length(reads) == 0])
  second = toset([for name, reads in local.reads : name if !contains(local.first, name) && length(setsubtract(reads, local.first)) == 0])
  upto_2 = setunion(local.first, local.second)
  third  = toset([for name, reads in local.reads : name if !contains(local.upto_2, name) && length(setsubtract(reads, local.upto_2)) == 0])
  upto_3 = setunion(local.upto_2, local.third)
  fourth = toset([for name, reads in local.reads : name if !contains(local.upto_3, name) && length(setsubtract(reads, local.upto_3)) == 0])
  beyond = setsubtract(keys(local.sources), setunion(local.upto_3, local.fourth))

  # A view is asked from other projects too, where a name without a project would be one of theirs.
  queries = {
    for name, sql in local.sources : name => {
      sql = replace(sql, "`tributary.", "`${var.project}.${var.dataset}.")
      # The comment at the top of the file, and not those further down.
      description = join("\n", [for line in regexall("(?m)^-- ?(.*)$", regex("^(?:--.*\n)*", sql)) : line[0] if !startswith(line[0], "arguments:")])
      arguments = [
        for it in try(split(",", regex("^-- arguments: (.+)", sql)[0]), []) :
        { name = split(" ", trimspace(it))[0], type = split(" ", trimspace(it))[1] }
      ]
    }
  }
}

resource "google_bigquery_dataset" "this" {
  dataset_id                 = var.dataset
  location                   = var.location
  description                = "Tributary: tracked events, reports and access"
  delete_contents_on_destroy = !var.deletion_protection

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.beyond) == 0
      error_message = "These views read views more than three deep, or each other: ${join(", ", local.beyond)}. Add another step in modules/warehouse."
    }
  }
}

resource "google_bigquery_table" "this" {
  for_each = local.tables

  dataset_id          = google_bigquery_dataset.this.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.clusterBy
  deletion_protection = var.deletion_protection

  dynamic "time_partitioning" {
    for_each = each.value.partitionBy == null ? [] : [each.value.partitionBy]
    content {
      type          = "DAY"
      field         = time_partitioning.value
      expiration_ms = try(lookup(var.expiry_days, each.key, each.value.expireAfterDays) * 24 * 3600 * 1000, null)
    }
  }

  dynamic "range_partitioning" {
    for_each = try([each.value.rangePartition], [])
    content {
      field = range_partitioning.value.field
      range {
        start    = range_partitioning.value.start
        end      = range_partitioning.value.end
        interval = range_partitioning.value.interval
      }
    }
  }
}

resource "google_bigquery_dataset_iam_member" "editor" {
  for_each = var.editors

  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = each.value
}

module "first" {
  source = "../queries"

  dataset = google_bigquery_dataset.this.dataset_id
  queries = { for name in local.first : name => local.queries[name] }

  depends_on = [google_bigquery_table.this]
}

module "second" {
  source = "../queries"

  dataset = google_bigquery_dataset.this.dataset_id
  queries = { for name in local.second : name => local.queries[name] }

  depends_on = [module.first]
}

module "third" {
  source = "../queries"

  dataset = google_bigquery_dataset.this.dataset_id
  queries = { for name in local.third : name => local.queries[name] }

  depends_on = [module.second]
}

module "fourth" {
  source = "../queries"

  dataset = google_bigquery_dataset.this.dataset_id
  queries = { for name in local.fourth : name => local.queries[name] }

  depends_on = [module.third]
}
