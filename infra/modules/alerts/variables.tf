variable "project" {
  description = "The id of the project."
  type        = string
}

variable "number" {
  description = "The number of the project."
  type        = string
}

variable "services" {
  description = "The functions' names in Google Cloud, by that in functions.json."
  type        = map(string)
}

variable "subscriptions" {
  description = "What holds the dead letters of each subscription."
  type        = map(string)
}

variable "emails" {
  description = "Who is told."
  type        = set(string)
}

variable "budget" {
  description = "A billing account and an amount a month, or null."
  type        = object({ billing_account = string, amount = number })
}

variable "log_metrics" {
  description = "What log-metrics.json counts."
  type = list(object({
    name            = string
    description     = string
    unit            = string
    filter          = string
    valueExtractor  = string
    labelExtractors = map(string)
  }))
}
