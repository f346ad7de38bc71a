variable "project" {
  description = "The id of the Google Cloud project that all of it is put into."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be the id of a Google Cloud project, such as my-project-123, and neither its name nor its number: gcloud projects list shows it."
  }
}

variable "region" {
  description = "The region of functions, jobs and buckets, such as europe-west1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region must be one region, such as europe-west1 or us-central1: gcloud run regions list shows them."
  }
}

variable "dataset_location" {
  description = "Where BigQuery keeps the tables, such as EU, US or a region; by default the region. It cannot be changed later."
  type        = string
  default     = null

  validation {
    condition     = var.dataset_location == null || can(regex("^(EU|US|[a-z]+-[a-z]+[0-9]+)$", var.dataset_location))
    error_message = "dataset_location must be EU, US or one region such as europe-west1, or null for the region."
  }
}

variable "dataset" {
  description = "The BigQuery dataset that is made."
  type        = string
  default     = "tributary"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset))
    error_message = "dataset must be letters, digits and underscores, such as tributary, without a project."
  }
}

variable "prefix" {
  description = "What the names of functions, service accounts, jobs and buckets begin with."
  type        = string
  default     = "tributary"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{0,11}$", var.prefix))
    error_message = "prefix must be 1 to 12 lower case letters and digits that begin with a letter, such as tributary, since names of service accounts have 30 at the most."
  }
}

variable "archives" {
  description = "The folder that `npm run build` wrote the archives of the functions into; by default dist of the repository."
  type        = string
  default     = null
}

variable "stock_framework" {
  description = "Whether all functions run on Google's functions-framework. By default ingest and load run on shared/host, at a sixth of its CPU."
  type        = bool
  default     = false
  nullable    = false
}

variable "public_ingest" {
  description = "Whether anyone may send events without Google credentials, as SDKs do. Organisations with iam.allowedPolicyMemberDomains must set it to false and put a load balancer in front."
  type        = bool
  default     = true
  nullable    = false
}

variable "operators" {
  description = "Email addresses of people and service accounts who may call the private functions."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for it in var.operators : can(regex("^[^\\s@,:]+@[^\\s@,:]+\\.[^\\s@,:]+$", it))])
    error_message = "operators must be plain email addresses, such as ann@example.com, without user: or serviceAccount:."
  }
}

variable "settings_optional" {
  description = "Whether there may be no settings.json in the settings bucket yet: until there is one every project is accepted."
  type        = bool
  default     = false
  nullable    = false
}

variable "instances" {
  description = "The least and the most instances of functions, by name in functions.json, where they shall be others than standard."
  type        = map(object({ min = optional(number, 0), max = number }))
  default     = {}
  nullable    = false

  validation {
    condition     = try(alltrue([for it in values(var.instances) : it.min >= 0 && it.max >= 1 && it.max <= 1000 && it.min <= it.max && floor(it.min) == it.min && floor(it.max) == it.max]), false)
    error_message = "instances must have whole numbers with 0 <= min <= max, and max of 1 to 1000, such as { ingest = { min = 1, max = 200 } }: a function without a limit has no limit of cost."
  }

  validation {
    condition     = length(setsubtract(keys(var.instances), keys(local.functions))) == 0
    error_message = "instances must be by names of functions.json: ${join(", ", keys(local.functions))}."
  }
}

variable "instance_billed" {
  description = "Functions, by name in functions.json, whose instances are billed as long as they are there, and requests are not. For ingest and load that costs less from some 500 million events a month on: docs/cost.md."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.instance_billed, keys(local.functions))) == 0
    error_message = "instance_billed must be names of functions.json, such as [\"ingest\", \"load\"], or [] to pay by requests: ${join(", ", keys(local.functions))}."
  }
}

variable "youtube_credentials" {
  description = "Secrets for YouTube by the name that `credential` of reports.yaml gives: the version to use, or an empty string while the secret has none."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, version in var.youtube_credentials : can(regex("^[A-Z][A-Z0-9_]*$", name)) && can(regex("^([1-9][0-9]*|latest)?$", version))])
    error_message = "youtube_credentials must map names such as YOUTUBE_NETWORK to a version (\"1\"), to \"latest\", or to \"\" until one was added. The credential itself never belongs here."
  }
}

variable "event_expiry_days" {
  description = "After how many days event_log loses a day; null keeps all."
  type        = number
  default     = null

  validation {
    condition     = var.event_expiry_days == null || try(var.event_expiry_days >= 1 && floor(var.event_expiry_days) == var.event_expiry_days, false)
    error_message = "event_expiry_days must be a whole number of days, such as 730, or null to keep all."
  }
}

variable "spill_expiry_days" {
  description = "After how many days what is left in the spill bucket is deleted; null keeps it. A drain takes a minute, so what is old is broken."
  type        = number
  default     = null

  validation {
    condition     = var.spill_expiry_days == null || try(var.spill_expiry_days >= 30 && floor(var.spill_expiry_days) == var.spill_expiry_days, false)
    error_message = "spill_expiry_days must be a whole number of 30 or more, or null to keep all: what lies in the spill bucket is the only copy."
  }
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete tables and buckets that hold data."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key" {
  description = "A Cloud KMS key that encrypts tables, topics and the buckets of data, as projects/P/locations/L/keyRings/R/cryptoKeys/K; null leaves it to Google."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must be the whole name of a key: projects/P/locations/L/keyRings/R/cryptoKeys/K, or null for a key of Google."
  }

  validation {
    condition     = var.kms_key == null || try(split("/", var.kms_key)[3] == var.region && coalesce(var.dataset_location, var.region) == var.region, false)
    error_message = "kms_key must be of the region, and dataset_location the region too: a key encrypts only what is where it is."
  }
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
  default     = { application = "tributary" }
  nullable    = false

  validation {
    condition     = alltrue([for name, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", name)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels must be names and values of lower case letters, digits, hyphens and underscores, 63 at the most, such as { team = \"analytics\" }; names begin with a letter."
  }
}

variable "alert_emails" {
  description = "Who is told by email when something is wrong; nobody where it is empty."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for it in var.alert_emails : can(regex("^[^\\s@,]+@[^\\s@,]+\\.[^\\s@,]+$", it))])
    error_message = "alert_emails must be email addresses, such as oncall@example.com."
  }
}

variable "budget" {
  description = "A monthly budget of the project in whole units of the billing account's currency, and that account; null makes none."
  type        = object({ billing_account = string, amount = number })
  default     = null

  validation {
    condition     = var.budget == null || try(can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account)) && var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, false)
    error_message = "budget must have a billing_account such as 012345-6789AB-CDEF01 and an amount of whole units, such as 500, or be null."
  }
}

variable "pipeline" {
  description = "A repository that is connected to Cloud Build, whose pull requests are tested and planned and whose branch is deployed once one of the approvers agreed, and the bucket of Terraform's state; null makes no pipeline."
  type        = object({ repository = string, state_bucket = string, branch = optional(string, "main"), approvers = optional(set(string), []) })
  default     = null

  validation {
    condition     = var.pipeline == null || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.pipeline.repository))
    error_message = "pipeline must have a repository such as projects/my-project/locations/europe-west1/connections/github/repositories/tributary: gcloud builds repositories list shows it."
  }

  validation {
    condition     = var.pipeline == null || try(split("/", var.pipeline.repository)[3] == var.region, true)
    error_message = "pipeline must have a repository that is connected in the region, since triggers are there."
  }

  validation {
    condition     = var.pipeline == null || can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.pipeline.state_bucket))
    error_message = "pipeline must have a state_bucket, the name in backend.tf without gs://, such as my-project-terraform."
  }

  validation {
    condition     = var.pipeline == null || can(regex("^[A-Za-z0-9._/-]+$", var.pipeline.branch))
    error_message = "pipeline must have a branch such as main: it is no expression."
  }

  validation {
    condition     = var.pipeline == null || try(alltrue([for it in var.pipeline.approvers : can(regex("^[^\\s@,:]+@[^\\s@,:]+\\.[^\\s@,:]+$", it))]), false)
    error_message = "pipeline must have plain email addresses as approvers, such as ann@example.com, without user: or serviceAccount:."
  }
}
