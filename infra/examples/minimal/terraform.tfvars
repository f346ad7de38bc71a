# All that must be said.
project = "my-project"
region  = "europe-west1"
