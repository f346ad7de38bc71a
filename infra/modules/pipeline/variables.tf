variable "project" {
  description = "The id of the project."
  type        = string
}

variable "region" {
  description = "Where the triggers and the bucket of plans are; the repository is connected there."
  type        = string
}

variable "prefix" {
  description = "What names begin with."
  type        = string
}

variable "repository" {
  description = "The connected repository: projects/P/locations/L/connections/C/repositories/R."
  type        = string
}

variable "branch" {
  description = "The branch that is deployed."
  type        = string
}

variable "state_bucket" {
  description = "The bucket of Terraform's state."
  type        = string
}

variable "archive_bucket" {
  description = "The bucket of the functions' archives."
  type        = string
}

variable "approvers" {
  description = "Members who may approve that a plan is applied, such as user:ann@example.com, each by a name."
  type        = map(string)
}

variable "accounts" {
  description = "Ids of the service accounts that functions, jobs, pushes and builds act as, each by a name."
  type        = map(string)
}

variable "read_permissions" {
  description = "What Terraform must be permitted to see what there is."
  type        = set(string)
}

variable "deploy_roles" {
  description = "Roles on the project with which Terraform makes what infra consists of."
  type        = list(string)
}

variable "granted_roles" {
  description = "Roles on the project that infra gives."
  type        = list(string)
}

variable "deletion_protection" {
  description = "Whether the bucket of plans is kept from being emptied."
  type        = bool
}
