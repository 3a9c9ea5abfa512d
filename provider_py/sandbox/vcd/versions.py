"""API versions of the simulated Cloud Director and how requests name theirs."""

from __future__ import annotations

import re
from typing import Final

from provider_py.sandbox.vcd.errors import ApiError

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
    """The first version of an Accept header that is supported; raises ApiError if none is."""
    for version in _VERSION.findall(accept):
        if version in VERSIONS:
            return str(version)
    listed = ", ".join(f"{version}{' [D]' if deprecated else ''}" for version, deprecated in reversed(VERSIONS.items()))
    raise ApiError(406, "NOT_ACCEPTABLE", f"The Accept header {accept!r} is invalid. Supported versions: [{listed}]")


def as_json(host: str) -> dict[str, object]:
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
    """The versions as XML, which is what a request without a JSON Accept gets."""
    infos = "".join(
        f'<VersionInfo deprecated="{str(deprecated).lower()}"><Version>{version}</Version>'
        f"<LoginUrl>{host}/cloudapi/1.0.0/sessions</LoginUrl>"
        f"<ProviderLoginUrl>{host}/cloudapi/1.0.0/sessions/provider</ProviderLoginUrl></VersionInfo>"
        for version, deprecated in VERSIONS.items()
    )
    return f'<SupportedVersions xmlns="http://www.vmware.com/vcloud/versions">{infos}</SupportedVersions>'
