variable "topic" { type = string }
variable "subscription" { type = string }
variable "ack_deadline_seconds" { type = number }
variable "url" { type = string }
variable "push_account" { type = object({ name = string, email = string }) }
variable "agent" { type = string }
variable "publishers" { type = map(string) }
variable "kms_key" { type = string }
