"""The provider as Terraform starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provider_py import SOURCE
from provider_py.rpc.serve import serve

if TYPE_CHECKING:  # lazy: the handshake comes first
    from provider_py.plugin import ProviderFactory

ADDRESS: Final = f"registry.terraform.io/{SOURCE}"
_SUPPORT: Final = "Please report it to the provider's maintainers, with the output of `workflow-provider report`."


def main() -> None:
    """Serve the provider."""
    serve(_load, address=ADDRESS, support=_SUPPORT)


def _load() -> ProviderFactory:
    from provider_py.provider import create  # lazy: the handshake comes first

    return create


if __name__ == "__main__":
    main()
