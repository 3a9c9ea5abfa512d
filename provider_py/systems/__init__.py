"""The vendors' systems, one package each. They know `execution`, `plugin` and their own client, never each other.

Each has the same rooms: `config`, `connection`, `lookup`, `preflight`, `polling`, and one file per resource or data
source.
"""
