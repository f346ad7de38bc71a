variable "name" { type = string }
variable "region" { type = string }
variable "cron" { type = string }
variable "time_zone" { type = string }
variable "url" { type = string }
variable "path" { type = string }
variable "service_account" { type = string }
variable "deadline_seconds" { type = number }
