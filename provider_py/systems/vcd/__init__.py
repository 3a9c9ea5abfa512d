"""VMware Cloud Director: runs of Orchestrator workflows that are published in its service library.

Knows `vcd_client`, `provider_py.execution` and the public face of `provider_py.plugin`; no gRPC and no other system.
The registry in `provider_py.provider` takes `CloudDirector` and `VcdSettings` to open the connection, and the `TYPE` of
`execution`, `workflow` and `workflows`. Nothing else here is meant for use from outside.

    config       the provider's `vcd` block, and the settings resolved from it
    connection   the channel, the tenant context and the client; `session` signs in
    answers      what the generated client returns, checked and paged
    lookup       workflows by name or ID, and the parameters they declare
    types        names of Orchestrator's types; `values` converts values of these types
    preflight    the checks of a plan, which also encode the parameters
    polling      states of many executions with few requests

Importing these modules loads neither HTTP nor the models of `vcd_client`; the first request does.
"""
