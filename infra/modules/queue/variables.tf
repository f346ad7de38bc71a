variable "topic" {
  description = "The topic's name."
  type        = string
}

variable "subscription" {
  description = "The name of the subscription that pushes."
  type        = string
}

variable "ack_deadline_seconds" {
  description = "How long Pub/Sub waits for an answer to a push, in seconds."
  type        = number
}

variable "url" {
  description = "The URL of the function that is pushed to, which is also the audience of the tokens."
  type        = string
}

variable "push_account" {
  description = "The service account that pushes have tokens of."
  type        = object({ name = string, email = string })
}

variable "agent" {
  description = "The member that Pub/Sub itself acts as, service-NUMBER@gcp-sa-pubsub."
  type        = string
}

variable "publishers" {
  description = "Members who may publish on the topic, each by a name."
  type        = map(string)
}

variable "kms_key" {
  description = "The Cloud KMS key of the topics, or null."
  type        = string
}
