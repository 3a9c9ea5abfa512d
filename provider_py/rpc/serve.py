"""The way in: what must happen before anything else is imported."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from provider_py.rpc.handshake import STARTED_BY_HAND, started_by_host

if TYPE_CHECKING:  # lazy: the handshake comes first
    from provider_py.plugin import ProviderFactory

Loader: TypeAlias = "Callable[[], ProviderFactory]"
"""Imports the provider and returns its factory."""


def serve(load: Loader, *, address: str, support: str) -> None:
    """Serve until Terraform asks for the end, then leave the process.

    `address` is the provider's source address, `support` a sentence that says where to report bugs.
    """
    debugging = "--debug" in sys.argv[1:]
    if not debugging and not started_by_host(os.environ):
        sys.stderr.write(STARTED_BY_HAND)
        sys.exit(1)
    if not debugging:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)  # sent to the whole group, Terraform has it too and tells what to do
    gc.disable()  # imports make only what stays; collecting in between costs a twentieth of the start
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from provider_py.rpc.process import PluginProcess  # lazy: gRPC reads the variables when it is imported

    asyncio.new_event_loop().run_until_complete(PluginProcess(load, address, support, debugging=debugging).run())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread that still waits for the network must not hold up the end
