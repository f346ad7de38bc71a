variable "project" {
  description = "The id of the project, which views name."
  type        = string
}

variable "dataset" {
  description = "The dataset's id."
  type        = string
}

variable "location" {
  description = "Where BigQuery keeps it."
  type        = string
}

variable "tables" {
  description = "The folder of tables/*.json."
  type        = string
}

variable "views" {
  description = "The folder of views/*.sql."
  type        = string
}

variable "expiry_days" {
  description = "After how many days a table loses a day, by the table, where it shall be another than its own."
  type        = map(number)
}

variable "deletion_protection" {
  description = "Whether tables are kept from being deleted."
  type        = bool
}

variable "kms_key" {
  description = "The Cloud KMS key of the dataset, or null."
  type        = string
}

variable "editors" {
  description = "Members who may write it, each by a name."
  type        = map(string)
}
