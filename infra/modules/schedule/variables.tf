variable "name" {
  description = "The job's name."
  type        = string
}

variable "region" {
  description = "Where the job is."
  type        = string
}

variable "cron" {
  description = "When it runs: five fields of cron."
  type        = string
}

variable "time_zone" {
  description = "In which time zone that is meant, such as Etc/UTC."
  type        = string
}

variable "url" {
  description = "The URL of the function without a path, which is also the audience of the token."
  type        = string
}

variable "path" {
  description = "The path that is posted to."
  type        = string
}

variable "service_account" {
  description = "The email of the service account that the job calls as."
  type        = string
}

variable "deadline_seconds" {
  description = "How long the function may take, in seconds; Cloud Scheduler waits for 30 minutes at the most."
  type        = number
}
