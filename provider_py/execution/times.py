"""Points in time as states hold them: RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal


def rfc3339(moment: float | datetime, timespec: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """Format an aware datetime in its own zone, or seconds since the epoch in UTC, as RFC 3339."""
    zoned = moment if isinstance(moment, datetime) else datetime.fromtimestamp(moment, UTC)
    return zoned.isoformat(timespec=timespec).replace("+00:00", "Z")
