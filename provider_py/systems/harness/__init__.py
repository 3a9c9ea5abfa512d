"""Harness FirstGen: the executions, triggers and data sources of one account, reached through its GraphQL API.

The modules know Harness, its generated client `harness_client`, and the public types of `execution` and `plugin`; they
know no other system and nothing of gRPC. `config` and `connection` make the connection that all share, `lookup` turns
names into IDs, `preflight` checks a run before it starts, `polling` reads executions back, and every resource and data
source is a module of its own. `provider.py` imports those modules one by one: the package itself loads none of them.
"""
