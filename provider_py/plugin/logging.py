"""Logs as Terraform reads them: one JSON object a line on stderr, in the form of hclog."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from provider_py.plugin.redaction import redact

TRACE: Final = 5
_LEVELS: Final = {
    "TRACE": TRACE,
    "JSON": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "OFF": logging.CRITICAL,
}
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class HclogFormatter(logging.Formatter):
    """Formats a record with its `extra` fields; secrets are masked in everything it says."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line: dict[str, object] = {
            "@level": _level(record.levelno),
            "@message": redact(record.getMessage()),
            "@module": record.name,
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
        }
        for name, value in vars(record).items():
            if name not in _PLAIN:
                shown = redact(str(value))
                plain = isinstance(value, bool | int | float | None) and shown == str(value)
                line[name] = value if plain else shown
        if record.exc_info:
            line["traceback"] = redact("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line)


def configure_logging(environment: Mapping[str, str] = os.environ, fallback: str = "WARN") -> None:
    """Send all logs to stderr, from the level that TF_LOG_PROVIDER or TF_LOG asks for.

    Terraform itself filters what it shows; the level here only saves the work of messages nobody will see.
    """
    wanted = environment.get("TF_LOG_PROVIDER") or environment.get("TF_LOG") or fallback
    level = _LEVELS.get(wanted.upper(), TRACE)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HclogFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("asyncio", "grpc", "httpcore2", "httpx2"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def _level(number: int) -> str:
    names = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"), (logging.DEBUG, "debug"))
    return next((name for least, name in names if number >= least), "trace")
