terraform {
  required_providers {
    workflow = {
      source = "workflow-trigger/workflow"
    }
  }
}

variable "harness_api_key" {
  type      = string
  sensitive = true
}

variable "nexthink_client_secret" {
  type      = string
  sensitive = true
}

variable "vcd_api_token" {
  type      = string
  sensitive = true
}

# Only the systems that are used need settings. Each has an environment variable too, so the block may also be empty.
provider "workflow" {
  harness = {
    account_id = "kmpySmUISimoRrJL6NL73w"
    api_key    = var.harness_api_key
  }

  nexthink = {
    instance      = "acme"
    region        = "eu"
    client_id     = "terraform"
    client_secret = var.nexthink_client_secret
  }

  vcd = {
    url       = "https://vcd.example.com"
    org       = "acme"
    api_token = var.vcd_api_token
  }
}
