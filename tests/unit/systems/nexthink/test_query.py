from __future__ import annotations

import textwrap

from provider_py.cli.demo import ROOT
from provider_py.plugin import attributes
from provider_py.systems.nexthink.polling import QUERY, NexthinkTargetExecution


def test_query_to_save_lists_every_field_that_is_read() -> None:
    listed = QUERY.partition("| list ")[2].split(", ")
    assert set(attributes(NexthinkTargetExecution)) <= set(listed)


def test_example_shows_the_query_to_save() -> None:
    assert textwrap.indent(QUERY, "  ") in (ROOT / "examples" / "repair-fleet" / "README.md").read_text("utf-8")
