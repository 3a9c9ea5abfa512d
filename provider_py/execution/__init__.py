"""The life of a run, for every system alike: start, wait, resume, cancel, import, and the means to reach a system.

This package knows what a run is and knows no vendor: it imports neither a system nor a generated client. Of the plugin
layer it uses only what `provider_py.plugin` exports, so it sees models and diagnostics and never gRPC or protobuf.

What a system is written with is exported here:

    ExecutionType, ResourceType, DataSourceType     what the provider's registry lists
    Execution, Timeouts, Phase, Run                 the arguments and results of a run, and one reading of its record
    Launcher, Started, and optional capabilities    what a system implements
    PollSource                                      how the state of many runs is read with few requests
    Connector, require, readable, Lookups           reaching a system once for all its resources
    require_encryption, local_path, optional_path   settings that name an address or a file
    SystemFault and its subclasses                  what a failed request means
    from_fault, unknown_name, did_you_mean          diagnostics
    run_preflight, Runtime, Clock, rfc3339

`transport` and `tokens` are imported by their names: they load httpx2 (70 ms), so only what sends requests does. So is
`budget`, which one system needs. `lifecycle`, `starting` and `journal` are put together by the provider; `waiting` and
`private_state` are theirs alone.
"""

from provider_py.execution.connection import Connection, Connector, readable, require
from provider_py.execution.errors import (
    Interrupted,
    Missing,
    NotResumed,
    NotStarted,
    RateLimited,
    Refused,
    SystemFault,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from provider_py.execution.launcher import Cancelling, Indistinct, Launcher, Remembering, Searching, Started
from provider_py.execution.local_settings import local_path, optional_path, require_encryption
from provider_py.execution.lookups import Lookups
from provider_py.execution.messages import did_you_mean, from_fault, unknown_name
from provider_py.execution.poller import PollSource
from provider_py.execution.preflight import run_preflight
from provider_py.execution.registry_types import DataSourceType, ExecutionType, LookupDataSource, ResourceType
from provider_py.execution.run import Execution, Phase, Run, Timeouts
from provider_py.execution.runtime import Clock, Runtime
from provider_py.execution.times import rfc3339

__all__ = [
    "Cancelling",
    "Clock",
    "Connection",
    "Connector",
    "DataSourceType",
    "Execution",
    "ExecutionType",
    "Indistinct",
    "Interrupted",
    "Launcher",
    "LookupDataSource",
    "Lookups",
    "Missing",
    "NotResumed",
    "NotStarted",
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
    "did_you_mean",
    "from_fault",
    "local_path",
    "optional_path",
    "readable",
    "require",
    "require_encryption",
    "rfc3339",
    "run_preflight",
    "unknown_name",
]
