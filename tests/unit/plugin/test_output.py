"""What leaves the process as text: redaction, logs, diagnostics."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Annotated

import pytest

from provider_py.plugin import Key, error, model, optional, redaction, warning
from provider_py.plugin.logging import TRACE, HclogFormatter, configure_logging
from provider_py.plugin.redaction import Redactor
from provider_py.plugin.sensitive import protect_values
from provider_py.plugin.validation import check_values
from provider_py.plugin.values import Typed
from provider_py.rpc import diagnostics as messages


def test_redactor_masks_every_form() -> None:
    redactor = Redactor()
    secret = 'a"b\nc\\ü'
    redactor.protect(secret)
    for shown in (secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        assert redactor.redact(f"<{shown}>").strip("<>\"'") == "(sensitive)"


def test_redactor_prefers_the_longest_and_ignores_short_ones() -> None:
    redactor = Redactor()
    assert redactor.redact("nothing yet") == "nothing yet"
    for secret in ("abcd", "abcdef", "abc", ""):
        redactor.protect(secret)
    assert redactor.redact("abcdefg abc abcd") == "(sensitive)g abc (sensitive)"


@model
class Inner:
    """A nested object with a secret."""

    token: Annotated[str | None, optional("Token.", sensitive=True)] = None
    shown: Annotated[str | None, optional("Shown.")] = None


@model
class Outer:
    """Secrets at every depth."""

    key: Annotated[str | None, optional("Key.", write_only=True, checks=(lambda value: f"{value!r} is wrong",))] = None
    keys: Annotated[dict[str, str] | None, optional("Keys.", sensitive=True)] = None
    inner: Annotated[list[Inner] | None, optional("Inner.")] = None
    anything: Annotated[str | None, optional("Shown.")] = None


def test_declared_secrets_are_protected(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor()
    monkeypatch.setattr("provider_py.plugin.sensitive.protect", redactor.protect)
    tree = {
        "key": Typed('["list","string"]', ["key-1"]),
        "keys": {"name": "key-2"},
        "inner": [{"token": "key-3", "shown": "open-1"}, None],
        "anything": "open-2",
    }
    protect_values(Outer, tree)
    assert redactor.redact("key-1 key-2 key-3 name open-1 open-2") == (
        "(sensitive) (sensitive) (sensitive) name open-1 open-2"
    )


def test_checks_do_not_echo_secrets_however_short() -> None:
    (told,) = check_values(Outer, {"key": "xyz"})
    assert told.detail == "The value is wrong."


def test_diagnostics_on_the_wire() -> None:
    redaction.protect("wire-secret")
    path = ("devices", 3, "tags", Key("a.b"))
    told, plain = messages.encode([error("S wire-secret", "D wire-secret", path), warning("W", "w")])
    assert (told.severity, told.summary, told.detail) == (1, "S (sensitive)", "D (sensitive)")
    assert [(step.WhichOneof("selector"), step) for step in told.attribute.steps] == list(
        zip(
            ["attribute_name", "element_key_int", "attribute_name", "element_key_string"],
            messages.attribute_path(path).steps,
            strict=True,
        )
    )
    assert told.attribute.steps[1].element_key_int == 3
    assert told.attribute.steps[3].element_key_string == "a.b"
    assert plain.severity == 2
    assert not plain.HasField("attribute")


@pytest.mark.parametrize(
    ("number", "level"),
    [(TRACE, "trace"), (logging.DEBUG, "debug"), (logging.INFO, "info"), (30, "warn"), (40, "error"), (50, "error")],
)
def test_hclog_line(number: int, level: str) -> None:
    redaction.protect("log-secret")
    record = logging.LogRecord("x.y", number, "file", 1, "said %s", ("log-secret",), None)
    record.run = "r-1 log-secret"
    record.tries = 3
    line = json.loads(HclogFormatter().format(record))
    assert line.pop("@timestamp").endswith("+00:00")
    assert line == {
        "@level": level,
        "@message": "said (sensitive)",
        "@module": "x.y",
        "run": "r-1 (sensitive)",
        "tries": 3,
    }


def test_hclog_traceback_is_redacted() -> None:
    redaction.protect("trace-secret")
    try:
        int("trace-secret")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "file", 1, "failed", (), sys.exc_info())
    line = json.loads(HclogFormatter().format(record))
    assert "ValueError: invalid literal" in line["traceback"]
    assert "trace-secret" not in line["traceback"]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("environment", "level"),
    [
        ({}, logging.WARNING),
        ({"TF_LOG": "debug"}, logging.DEBUG),
        ({"TF_LOG": "JSON"}, TRACE),
        ({"TF_LOG": "TRACE", "TF_LOG_PROVIDER": "error"}, logging.ERROR),
        ({"TF_LOG": "OFF"}, logging.CRITICAL),
        ({"TF_LOG": "nonsense"}, TRACE),
    ],
)
def test_level_comes_from_terraform(root_logger: logging.Logger, environment: dict[str, str], level: int) -> None:
    configure_logging(environment)
    assert root_logger.level == level
