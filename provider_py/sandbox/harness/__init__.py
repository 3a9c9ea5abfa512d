"""The simulated Harness FirstGen: its GraphQL API and the two REST calls for executions.

Everything is derived from one `Account`, whose runs live in the shared world; resolvers read it and never keep state.
GraphQL is executed by graphql-core, but answers in the words of the server's own engine (`errors`). Only what the
provider and the vendor's published samples call is simulated; every other field of the schema answers null.
"""

from __future__ import annotations

from provider_py.sandbox.harness.account import ACCOUNT_ID, Account
from provider_py.sandbox.harness.app import CREDENTIALS, application
from provider_py.sandbox.harness.behaviors import BEHAVIORS

__all__ = ["ACCOUNT_ID", "BEHAVIORS", "CREDENTIALS", "Account", "application"]
