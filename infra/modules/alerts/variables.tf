variable "project" { type = string }
variable "number" { type = string }
variable "services" { type = map(string) }
variable "subscriptions" { type = map(string) }
variable "emails" { type = set(string) }
variable "budget" { type = object({ billing_account = string, amount = number }) }

variable "log_metrics" {
  type = list(object({
    name            = string
    description     = string
    unit            = string
    filter          = string
    valueExtractor  = string
    labelExtractors = map(string)
  }))
}
