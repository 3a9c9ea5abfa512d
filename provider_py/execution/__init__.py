"""The life of a run, for every system alike: start, wait, resume, cancel, import, and the means to reach a system.

This package knows what a run is and knows no vendor: it imports neither a system nor a generated client. Of the plugin
layer it uses only what `provider_py.plugin` exports, so it sees models and diagnostics and never gRPC or protobuf.

A system is written with these modules, and imports from them by name:

    registry_types    ExecutionType, ResourceType, DataSourceType: what the provider's registry lists
    run               Execution, Phase, Run: the arguments and results of a run, and one reading of its record
    launcher          Launcher and its optional capabilities, Started: what a system implements
    poller            PollSource: how the state of many runs is read with few requests
    connection        Connector, require, readable
    errors            SystemFault and its subclasses: what a failed request means
    messages          from_fault, unknown_name, did_you_mean
    lookups, preflight, runtime, times
    transport, budget, tokens    HTTP; importing them loads httpx2 (70 ms), so only what sends requests does

The provider itself puts `lifecycle`, `starting` and `journal` together; `waiting` and `private_state` are theirs alone.
Nothing is re-exported here, because whoever needs one module would load them all, httpx2 included.
"""
