"""The life of a run, for every system alike: start, wait, resume, cancel, import, and the means to reach a system.

This package knows what a run is and knows no vendor: it imports neither a system nor a generated client. Of the plugin
layer it uses only what `provider_py.plugin` exports, so it sees models and diagnostics and never gRPC or protobuf.

What a system is written with is exported here:

    ExecutionType, ResourceType, DataSourceType     what the provider's registry lists
    Execution, Timeouts, Phase, Run                 the arguments and results of a run, and one reading of its record
    Launcher, Started, and optional capabilities    what a system implements
    Once, Wording, Journal                          what is started once and is no run
    PollSource                                      how the state of many runs is read with few requests
    Connector, require, readable, Lookups           reaching a system once for all its resources
    require_encryption, local_path, optional_path   settings that name an address or a file
    SystemFault and its subclasses                  what a failed request means
    from_fault, unknown_name, did_you_mean, settling
                                                    diagnostics, and the commands that settle a lost start
    run_preflight, Runtime, Clock, rfc3339

`transport` and `tokens` are imported by their names: they load httpx2 (70 ms), so only what sends requests does. So is
`budget`, which one system needs. `lifecycle`, `store` and `scope` are put together by the provider; `life`, `starting`
and `waiting` are theirs alone.
"""

from provider_py.execution.connection import Connection, Connector, readable, require
from provider_py.execution.errors import (
    Interrupted,
    Missing,
    NotStarted,
    RateLimited,
    Refused,
    SystemFault,
    Unanswered,
    Unauthorized,
    Unreachable,
    Unsettled,
)
from provider_py.execution.journal import Journal
from provider_py.execution.launcher import Cancelling, Indistinct, Launcher, Marking, Remembering, Searching, Started
from provider_py.execution.local_settings import local_path, optional_path, require_encryption
from provider_py.execution.lookups import Lookups
from provider_py.execution.messages import Wording, did_you_mean, from_fault, settling, unknown_name
from provider_py.execution.once import Once
from provider_py.execution.poller import PollSource
from provider_py.execution.preflight import run_preflight
from provider_py.execution.registry_types import DataSourceType, ExecutionType, LookupDataSource, ResourceType
from provider_py.execution.run import LONGEST_KEY, Execution, Phase, Run, Timeouts
from provider_py.execution.runtime import LOOKING_SECONDS, Clock, Runtime
from provider_py.execution.times import rfc3339

__all__ = [
    "LONGEST_KEY",
    "LOOKING_SECONDS",
    "Cancelling",
    "Clock",
    "Connection",
    "Connector",
    "DataSourceType",
    "Execution",
    "ExecutionType",
    "Indistinct",
    "Interrupted",
    "Journal",
    "Launcher",
    "LookupDataSource",
    "Lookups",
    "Marking",
    "Missing",
    "NotStarted",
    "Once",
    "Phase",
    "PollSource",
    "RateLimited",
    "Refused",
    "Remembering",
    "ResourceType",
    "Run",
    "Runtime",
    "Searching",
    "Started",
    "SystemFault",
    "Timeouts",
    "Unanswered",
    "Unauthorized",
    "Unreachable",
    "Unsettled",
    "Wording",
    "did_you_mean",
    "from_fault",
    "local_path",
    "optional_path",
    "readable",
    "require",
    "require_encryption",
    "rfc3339",
    "run_preflight",
    "settling",
    "unknown_name",
]
