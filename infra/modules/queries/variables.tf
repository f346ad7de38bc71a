variable "dataset" {
  description = "The dataset's id."
  type        = string
}

variable "queries" {
  description = "By name: the SQL, what it is for, and the arguments of a table function."
  type = map(object({
    sql         = string
    description = string
    arguments   = list(object({ name = string, type = string }))
  }))
}
