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

run "with_another_prefix_and_dataset" {
  command = plan

  variables {
    prefix              = "shop"
    dataset             = "shop_events"
    deletion_protection = false
    spill_expiry_days   = 90
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

run "with_a_pipeline" {
  command = plan

  variables {
    pipeline = {
      repository   = "projects/my-project/locations/europe-west1/connections/github/repositories/tributary"
      state_bucket = "my-project-terraform"
      approvers    = ["ann@example.com"]
    }
  }

  assert {
    condition     = output.pipeline.plans == "my-project-tributary-plans" && output.pipeline.triggers.apply == "tributary-apply"
    error_message = "The output must name the bucket of plans and the triggers."
  }
}

run "refuses_the_name_of_a_project" {
  command = plan

  variables {
    project = "My Project"
  }

  expect_failures = [var.project]
}

run "refuses_a_function_without_a_limit" {
  command = plan

  variables {
    instances = { ingest = { max = 0 } }
  }

  expect_failures = [var.instances]
}

run "refuses_instances_of_what_is_no_function" {
  command = plan

  variables {
    instances = { ingst = { max = 5 } }
  }

  expect_failures = [var.instances]
}

run "refuses_a_key_of_another_region" {
  command = plan

  variables {
    kms_key = "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"
  }

  expect_failures = [var.kms_key]
}

run "refuses_a_credential_in_place_of_its_version" {
  command = plan

  variables {
    youtube_credentials = { YOUTUBE_NETWORK = "ya29.secret" }
  }

  expect_failures = [var.youtube_credentials]
}
