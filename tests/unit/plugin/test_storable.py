"""Values from outside are stored as far as Terraform can hold them, and what it cannot hold costs nothing else."""

from __future__ import annotations

import dataclasses
import datetime
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

import msgpack  # type: ignore[import-untyped]
import pytest

from provider_py.plugin import Dynamic, Severity, computed, error, model, optional, required
from provider_py.plugin.values import Typed
from provider_py.rpc import blocks, diagnostics
from provider_py.rpc.codec import decode_msgpack

INFINITE = float("inf")
FORM_D = unicodedata.normalize("NFD", "Démarré")
FORM_C = unicodedata.normalize("NFC", "Démarré")


@model
class Step:
    """A nested result."""

    name: Annotated[str | None, computed("Name.")] = None
    seconds: Annotated[float | None, computed("Seconds.")] = None


@model
class Job:
    """A resource with results of every kind."""

    name: Annotated[str, required("Name.")]
    note: Annotated[str | None, optional("Note.")] = None
    id: Annotated[str | None, computed("Id.")] = None
    count: Annotated[int | None, computed("Count.")] = None
    share: Annotated[float | None, computed("Share.")] = None
    done: Annotated[bool | None, computed("Done.")] = None
    lines: Annotated[list[str] | None, computed("Lines.")] = None
    labels: Annotated[dict[str, str] | None, computed("Labels.")] = None
    steps: Annotated[list[Step] | None, computed("Steps.")] = None
    outputs: Annotated[Dynamic, computed("Outputs.")] = None


def nested(depth: int) -> Any:
    """Return a list in a list in a list."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("attribute", "value", "stored", "place"),
    [
        ("id", "cut \ud83d", "cut \ufffd", None),
        ("id", "\ude00 end", "\ufffd end", None),
        ("id", "\ud83d\ude00", "😀", None),
        ("id", FORM_D, FORM_C, None),
        ("id", "nul \0 and \x7f", "nul \0 and \x7f", None),
        ("id", 5, None, "id"),
        ("id", {"a": 1}, None, "id"),
        ("count", INFINITE, None, "count"),
        ("count", "5", None, "count"),
        ("count", True, None, "count"),
        ("count", 2**70, 2**70, None),
        ("share", float("nan"), None, "share"),
        ("share", -INFINITE, None, "share"),
        ("share", 1e308, 10**308, None),
        ("share", Decimal("NaN"), None, "share"),
        ("done", "yes", None, "done"),
        ("done", 1, None, "done"),
        ("lines", ["a", "b\ud800"], ["a", "b\ufffd"], None),
        ("lines", ["a", 1], ["a", None], "lines[1]"),
        ("lines", 5, None, "lines"),
        ("labels", {FORM_D: FORM_D, "k\ud800": "v"}, {FORM_C: FORM_C, "k\ufffd": "v"}, None),
        ("labels", {"k": 1}, {"k": None}, 'labels["k"]'),
        ("labels", {1: "v"}, None, "labels"),
        ("labels", ["a"], None, "labels"),
        ("steps", [Step(seconds=INFINITE)], [{"name": None, "seconds": None}], "steps[0].seconds"),
        ("steps", [Step(name="\ud800")], [{"name": "\ufffd", "seconds": None}], None),
        ("steps", [object()], None, "steps"),
        ("outputs", {"f": INFINITE}, Typed('["object",{"f":"dynamic"}]', {"f": None}), 'outputs["f"]'),
        ("outputs", [1, [INFINITE]], Typed('["tuple",["number",["tuple",["dynamic"]]]]', [1, [None]]), "outputs[1][0]"),
        ("outputs", {FORM_D: "\ud800"}, Typed(f'["object",{{"{FORM_C}":"string"}}]', {FORM_C: "\ufffd"}), None),
        ("outputs", INFINITE, None, "outputs"),
        ("outputs", {1: 2}, None, "outputs"),
        ("outputs", b"bytes", None, "outputs"),
        ("outputs", datetime.date(2026, 1, 1), None, "outputs"),
        ("outputs", nested(600), None, "outputs"),
        ("outputs", nested(100_000), None, "outputs"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_stored_costs_nothing_else(
    attribute: str, value: object, stored: object, place: str | None
) -> None:
    values: dict[str, Any] = {"name": "n", "note": "kept", "id": "run-1", attribute: value}
    job = Job(**values)
    known = {**dict.fromkeys(field.name for field in dataclasses.fields(Job)), "name": "n", "note": "kept"}
    written = blocks.write_model(Job, job, known)
    tree = decode_msgpack(Job, written.value.msgpack)
    assert tree == {**known, "id": "run-1", attribute: stored}
    assert [(warning.severity, warning.path) for warning in written.diagnostics] == (
        [(Severity.WARNING, (attribute,))] if place else []
    )
    for warning in written.diagnostics:
        assert f"`{place}`" in warning.detail


def test_many_places_of_one_attribute_are_told_once() -> None:
    written = blocks.write_model(Job, Job(name="n", outputs=[INFINITE] * 50))
    (warning,) = written.diagnostics
    assert "`outputs[0]`, `outputs[1]`, `outputs[2]` and 47 more" in warning.detail


def test_two_names_that_terraform_takes_for_one_are_both_kept_out() -> None:
    written = blocks.write_model(Job, Job(name="n", labels={FORM_C: "1", FORM_D: "2"}))
    assert decode_msgpack(Job, written.value.msgpack)["labels"] == {FORM_C: "1"}
    (warning,) = written.diagnostics
    assert f'`labels["{FORM_C}"]`' in warning.detail


def test_a_configured_value_is_written_as_it_came() -> None:
    known = {"name": "n", "note": None, **dict.fromkeys(("id", "count", "share", "done", "lines", "labels", "steps"))}
    known["outputs"] = Typed('["list","number"]', [Decimal("0.1")])
    written = blocks.write_model(Job, Job(name="n", outputs=[0.1]), known)
    assert msgpack.unpackb(written.value.msgpack)["outputs"][1] == ["0.1"]


def test_diagnostics_can_say_anything() -> None:
    (told,) = diagnostics.encode([error("cut \ud83d", "also \ud83d\ude00 and \ude00")])
    assert (told.summary, told.detail) == ("cut \ufffd", "also 😀 and \ufffd")
