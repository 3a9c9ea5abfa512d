"""The two spellings of `inputType`: the kinds' own names, and short ones that the vendor's schema helper lists.

Which of them a server takes is nowhere written down; the kinds' own names are the better supported guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provider_py.execution.errors import Refused

SHORT: Final = {
    "StringParam": "string",
    "NumberParam": "number",
    "BooleanParam": "boolean",
    "DateParam": "date",
    "SecureString": "secureString",
    "EncryptedString": "encryptedString",
    "Regex": "regex",
    "MimeAttachment": "mimeAttachment",
    "SdkObject": "sdkObject",
    "ArrayParam": "array",
    "Properties": "properties",
    "KeyValuePair": "keyValuePair",
    "CompositeType": "composite",
    "CompositeValue": "compositeValue",
}
_FULL: Final = {short: kind for kind, short in SHORT.items()}
_ABOUT_KINDS: Final = re.compile(r"was answered 400: .*(inputType|type id)", re.IGNORECASE | re.DOTALL)


def kind_of(wire: Mapping[str, Any]) -> str:
    """Return the kind of a value by its own name, whichever spelling it has."""
    spelled = str(wire.get("inputType"))
    return _FULL.get(spelled, spelled)


def shortened(wire: Any) -> Any:
    """Return a value with every kind in its short spelling."""
    if isinstance(wire, list):
        return [shortened(each) for each in wire]
    if not isinstance(wire, Mapping):
        return wire
    return {key: SHORT.get(each, each) if key == "inputType" else shortened(each) for key, each in wire.items()}


def is_about_kinds(fault: Refused) -> bool:
    """Whether a server answered 400 because it does not know how the kinds are spelled."""
    return _ABOUT_KINDS.search(fault.reason) is not None
