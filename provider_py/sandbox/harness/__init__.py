"""Harness FirstGen as a client meets it: its GraphQL API and the two REST calls that go with executions."""
