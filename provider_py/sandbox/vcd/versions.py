"""API versions of the simulated Cloud Director, and how a request selects one."""

from __future__ import annotations

import re
from typing import Final

from provider_py.sandbox.vcd.errors import ApiError
from provider_py.sandbox.wire import JsonObject

VERSIONS: Final = {
    "35.0": True,
    "36.0": True,
    "36.1": True,
    "36.2": True,
    "36.3": True,
    "37.0": False,
    "37.1": False,
    "37.2": False,
    "38.0": False,
    "39.0.0-alpha": False,
}
"""Each version and whether it is deprecated."""

_VERSION: Final = re.compile(r";\s*version=([^;,\s]+)")


def negotiate(accept: str) -> str:
    """The first supported version of an Accept header; raises ApiError if there is none."""
    for version in _VERSION.findall(accept):
        if version in VERSIONS:
            return str(version)
    listed = ", ".join(f"{version}{' [D]' if deprecated else ''}" for version, deprecated in reversed(VERSIONS.items()))
    raise ApiError(406, "NOT_ACCEPTABLE", f"The Accept header {accept!r} is invalid. Supported versions: [{listed}]")


def as_json(host: str) -> JsonObject:
    """The versions as JSON."""
    return {
        "versionInfo": [
            {
                "version": version,
                "deprecated": deprecated,
                "loginUrl": f"{host}/cloudapi/1.0.0/sessions",
                "providerLoginUrl": f"{host}/cloudapi/1.0.0/sessions/provider",
            }
            for version, deprecated in VERSIONS.items()
        ]
    }


def as_xml(host: str) -> str:
    """The versions as XML, for a request that does not accept JSON."""
    infos = "".join(
        f'<VersionInfo deprecated="{str(deprecated).lower()}"><Version>{version}</Version>'
        f"<LoginUrl>{host}/cloudapi/1.0.0/sessions</LoginUrl>"
        f"<ProviderLoginUrl>{host}/cloudapi/1.0.0/sessions/provider</ProviderLoginUrl></VersionInfo>"
        for version, deprecated in VERSIONS.items()
    )
    return f'<SupportedVersions xmlns="http://www.vmware.com/vcloud/versions">{infos}</SupportedVersions>'
