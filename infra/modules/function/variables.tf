variable "project" {
  description = "The id of the project that the secrets are in."
  type        = string
}

variable "name" {
  description = "The function's name in Google Cloud."
  type        = string
}

variable "target" {
  description = "Its name in functions.json, which is FUNCTION_TARGET."
  type        = string
}

variable "region" {
  description = "Where it runs."
  type        = string
}

variable "archive" {
  description = "The path of its archive, of npm run build."
  type        = string
}

variable "archive_bucket" {
  description = "The bucket that the archive is put into."
  type        = string
}

variable "build_account" {
  description = "The id of the service account that builds it."
  type        = string
}

variable "service_account" {
  description = "The email of the service account that it acts as."
  type        = string
}

variable "memory" {
  description = "Memory of an instance, such as 512Mi."
  type        = string
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = number
}

variable "concurrency" {
  description = "Requests that an instance serves at once."
  type        = number
}

variable "timeout_seconds" {
  description = "How long a request may take, in seconds."
  type        = number
}

variable "min_instances" {
  description = "Instances that are kept when there is nothing to do."
  type        = number
}

variable "max_instances" {
  description = "Instances that there may be."
  type        = number
}

variable "instance_billed" {
  description = "Whether its instances are billed as long as they are there, in place of its requests."
  type        = bool
}

variable "internal" {
  description = "Whether only Pub/Sub, Cloud Scheduler and the project's own networks reach it."
  type        = bool
}

variable "environment" {
  description = "Its environment variables."
  type        = map(string)
}

variable "secrets" {
  description = "Versions of secrets that it gets as environment variables, by the variable."
  type        = map(string)
}

variable "secret_ids" {
  description = "The ids of these secrets, by the variable."
  type        = map(string)
}

variable "invokers" {
  description = "Members who may call it, each by a name."
  type        = map(string)
}
