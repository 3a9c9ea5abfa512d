"""Nexthink: runs are executions of workflows on devices and users.

The package knows Nexthink's generated client, `execution` and the public face of `plugin`; it knows no other system,
nothing of gRPC, and nothing of the sandbox. `provider.py` takes from it the settings block (`config`), the connection
(`connection`) and one `TYPE` per resource or data source; nothing else is meant for use from outside.

    config        the provider's `nexthink` block, and the complete settings of a connection
    connection    sign-in, HTTP channel, downloads
    lookup        workflows by ID, and lists of them
    targets       devices and users: identifiers, duplicates, splitting into requests
    preflight     whether a workflow can run the way a configuration wants
    polling       when a request has ended, by the rows of a saved NQL query
    exports       all rows of a saved query, where there are more than a query returns
    execution, event, workflow, workflows    one resource or data source each
"""
