"""The ways to sign in to the simulated Cloud Director."""

from __future__ import annotations

from typing import Any

from provider_py.sandbox.vcd import access
from provider_py.systems.vcd.config import VcdSettings
from tests.support.site import Process, Site


async def sign_in(site: Site, **settings: Any) -> Process:
    """Run a provider whose `vcd` block has these settings; the tenant's API token is left out beside a user or file."""
    alternatives = {"user", "service_account_token_file"} & settings.keys()
    return await site.process(
        {"VCD_API_TOKEN": None if alternatives else access.API_TOKEN}, vcd=VcdSettings(**settings)
    )
