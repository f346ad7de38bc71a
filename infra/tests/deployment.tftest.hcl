# What a plan must hold, by Terraform's own means: terraform test, in infra/ after npm run build. Nothing is applied.

variables {
  project = "my-project"
  region  = "europe-west1"
}

run "with_what_must_be_said" {
  command = plan

  assert {
    condition     = toset(keys(module.function)) == toset([for it in jsondecode(file("functions.json")).functions : it.name])
    error_message = "Every function of functions.json must be deployed, and no other."
  }

  assert {
    condition     = alltrue([for it in google_storage_bucket.data : !it.force_destroy])
    error_message = "No bucket that holds data may be emptied, unless deletion_protection is false."
  }

  assert {
    condition     = length([for it in google_storage_bucket.data["spill"].lifecycle_rule : it]) == 0
    error_message = "What is spilled is the only copy, and must be kept unless spill_expiry_days says otherwise."
  }

  assert {
    condition     = toset([for it in google_storage_bucket.data["access"].lifecycle_rule : one(it.condition).matches_prefix[0] if length(try(one(it.condition).matches_prefix, null) == null ? [] : one(it.condition).matches_prefix) > 0]) == toset(["access/plans/", "access/requests/", "access/resources/"])
    error_message = "Leases and open requests must stay: only plans and what has ended may go."
  }

  assert {
    condition     = length(module.pipeline) == 0 && length(google_secret_manager_secret.youtube) == 0 && length(google_kms_crypto_key_iam_member.agent) == 0
    error_message = "Nothing may be made that was not asked for."
  }

  assert {
    condition     = output.ingest_url == "https://tributary-ingest-${data.google_project.this.number}.europe-west1.run.app"
    error_message = "ingest_url must be the URL that is known before there is one."
  }

  assert {
    condition     = strcontains(output.try, "`my-project.tributary.events_between`")
    error_message = "The line to try must name project and dataset."
  }
}

run "with_instances_that_are_billed" {
  command = plan

  variables {
    instance_billed = ["ingest", "load"]
  }

  assert {
    condition     = output.urls == run.with_what_must_be_said.urls && { for name, it in module.function : name => it.name } == { for name in keys(output.urls) : name => "tributary-${name}" }
    error_message = "Functions must keep their names and URLs, whatever is billed."
  }
}

run "with_other_names_and_a_pipeline" {
  command = plan

  variables {
    prefix              = "shop"
    dataset             = "shop_events"
    deletion_protection = false
    spill_expiry_days   = 90
    pipeline = {
      repository   = "projects/my-project/locations/europe-west1/connections/github/repositories/tributary"
      state_bucket = "my-project-terraform"
      approvers    = ["ann@example.com"]
    }
  }

  assert {
    condition     = output.pipeline.plans == "my-project-shop-plans" && output.pipeline.triggers.apply == "shop-apply"
    error_message = "The output must name the bucket of plans and the triggers."
  }

  assert {
    condition     = google_storage_bucket.data["spill"].name == "my-project-shop-spill" && google_storage_bucket.data["spill"].force_destroy
    error_message = "Names must begin with the prefix, and buckets may be emptied where that was asked for."
  }

  assert {
    condition     = one(google_storage_bucket.data["spill"].lifecycle_rule).condition[0].age == 90
    error_message = "What is spilled must go after spill_expiry_days."
  }

  assert {
    condition     = strcontains(output.try, "`my-project.shop_events.events_between`")
    error_message = "The line to try must name the dataset that was given."
  }
}

run "refuses_a_function_without_a_limit" {
  command = plan

  variables {
    instances = { ingest = { max = 0 } }
  }

  expect_failures = [var.instances]
}
