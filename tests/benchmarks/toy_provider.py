"""The reference: a provider written with the PyPI framework `tf`, doing the least that starts a run in Cloud Director.

No look-ups, no checks, no journal, no waiting: one sign-in for each process and one request for each run.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from typing import Any

from tf import runner
from tf.iface import (
    Config,
    CreateContext,
    DataSource,
    DeleteContext,
    Provider,
    ReadContext,
    Resource,
    State,
    UpdateContext,
)
from tf.schema import Attribute, Schema
from tf.types import String
from tf.utils import Diagnostics

ACCEPT = "application/json;version=37.1"


class Run(Resource):
    """`bench_run`: a run of a workflow with text parameters."""

    def __init__(self, provider: ToyProvider) -> None:
        """Know the provider, whose session is used."""
        self.provider = provider

    @classmethod
    def get_name(cls) -> str:
        """Return the type without its prefix."""
        return "run"

    @classmethod
    def get_schema(cls) -> Schema:
        """Describe what is needed to start a run."""
        return Schema(
            attributes=[
                Attribute("workflow_id", String(), required=True, requires_replace=True),
                Attribute("id", String(), computed=True),
            ]
        )

    def create(self, ctx: CreateContext, planned: State) -> State | None:
        """Start the run."""
        body = {"parameters": json.loads(os.environ["BENCH_PARAMETERS"])}
        path = f"/cloudapi/workflows/{planned['workflow_id']}/executions"
        started = self.provider.post(path, json.dumps(body).encode(), "application/json")
        return {**planned, "id": started["id"]}

    def read(self, ctx: ReadContext, current: State) -> State | None:
        """Change nothing."""
        return current

    def update(self, ctx: UpdateContext, current: State, planned: State) -> State | None:
        """Change nothing."""
        return planned

    def delete(self, ctx: DeleteContext, current: State) -> None:
        """Forget the run."""


class ToyProvider(Provider):
    """`bench`: takes its settings from the same environment as the provider under test."""

    session = ""

    def get_model_prefix(self) -> str:
        """Return the prefix of type names."""
        return "bench_"

    def get_provider_schema(self, diags: Diagnostics) -> Schema:
        """Have no settings."""
        return Schema(attributes=[])

    def full_name(self) -> str:
        """Return the source address."""
        return "registry.terraform.io/benchmarks/bench"

    def validate_config(self, diags: Diagnostics, config: Config) -> None:
        """Accept everything."""

    def configure_provider(self, diags: Diagnostics, config: Config) -> None:
        """Sign in, as every process of a provider that talks to Cloud Director has to."""
        form = f"grant_type=refresh_token&refresh_token={os.environ['VCD_API_TOKEN']}".encode()
        token = self.post(f"/oauth/tenant/{os.environ['VCD_ORG']}/token", form, "application/x-www-form-urlencoded")
        self.session = token["access_token"]

    def get_data_sources(self) -> list[type[DataSource]]:
        """Have none."""
        return []

    def get_resources(self) -> list[type[Resource]]:
        """Have runs."""
        return [Run]

    def post(self, path: str, body: bytes, content_type: str) -> Any:
        """Send a request and return the answer."""
        headers = {"Accept": ACCEPT, "Content-Type": content_type, "Authorization": f"Bearer {self.session}"}
        request = urllib.request.Request(os.environ["VCD_URL"] + path, body, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


if __name__ == "__main__":
    runner.run_provider(ToyProvider(), sys.argv)
