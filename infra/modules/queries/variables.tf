variable "dataset" { type = string }

variable "queries" {
  type = map(object({
    sql         = string
    description = string
    arguments   = list(object({ name = string, type = string }))
  }))
}
