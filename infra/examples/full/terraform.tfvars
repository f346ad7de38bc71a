# Everything that can be said, with another value than the standard one where that makes sense.
project          = "my-project"
region           = "europe-west1"
dataset_location = "europe-west1"
dataset          = "tributary"
prefix           = "tributary"

# Who runs npm run fold, replay, reports and access against the deployment, and who is woken.
operators    = ["ann@example.com", "operator@my-project.iam.gserviceaccount.com"]
alert_emails = ["oncall@example.com"]
budget       = { billing_account = "012345-6789AB-CDEF01", amount = 500 }

# An organisation that allows no allUsers puts a load balancer in front and says false.
public_ingest   = false
stock_framework = false

# No cold start for SDKs, and a higher limit.
instances = {
  ingest = { min = 1, max = 200 }
  load   = { max = 40 }
}

# From some 500 million events a month on: npm run cost tells.
instance_billed = ["ingest", "load"]

# "" makes the secret; its version comes here once it was added.
youtube_credentials = {
  YOUTUBE_NETWORK = "1"
  YOUTUBE_OTHER   = ""
}

settings_optional   = false
event_expiry_days   = 730
spill_expiry_days   = 90
deletion_protection = true
kms_key             = "projects/my-keys/locations/europe-west1/keyRings/warehouse/cryptoKeys/tributary"

# Cloud Build tests, plans and, after an approval, applies.
pipeline = {
  repository   = "projects/my-project/locations/europe-west1/connections/github/repositories/tributary"
  state_bucket = "my-project-terraform"
  approvers    = ["ann@example.com"]
}

labels = {
  application = "tributary"
  team        = "analytics"
}
