# Cloud Run logs every request. Of the functions on the data path that would be a line for each batch, twice, and cost more
# than Pub/Sub does: what went well is told by their counts instead, and what did not is still logged.

locals {
  data_path = [for name, it in local.functions : "\"${var.prefix}-${name}\"" if it.host == "own"]
}

resource "google_logging_project_exclusion" "requests" {
  name        = "${var.prefix}-requests"
  description = "Requests to ${join(" and ", keys({ for name, it in local.functions : name => it if it.host == "own" }))} that went well"
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", local.data_path)}) AND log_id(\"run.googleapis.com/requests\") AND httpRequest.status<400"

  depends_on = [google_project_service.api]
}
