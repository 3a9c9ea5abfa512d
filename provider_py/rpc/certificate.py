"""The certificate a plugin process shows its host: made for this process and valid for no other.

Key and signature come from `cryptography`. The few bytes around them are put together here, because importing its X.509
and serialization modules takes a fifth of the time from a process's start to its handshake.
"""

from __future__ import annotations

import base64
import os
import time
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_DAY: Final = 86400
_LIFE: Final = 30 * _DAY
_COORDINATE: Final = 32
"""Bytes of a number on P-256."""

_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_OCTET_STRING: Final = 0x04
_OBJECT_ID: Final = 0x06
_UTF8: Final = 0x0C
_UTC_TIME: Final = 0x17
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_DNS_NAME: Final = 0x82
_TAGGED: Final = 0xA0
"""Added to its number, the tag of an explicitly tagged field."""

_TRUE: Final = b"\x01\x01\xff"
_V3: Final = b"\x02\x01\x02"


def _der(tag: int, *contents: bytes) -> bytes:
    """Encode one element of DER."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


_EC_PUBLIC_KEY: Final = _der(_OBJECT_ID, bytes.fromhex("2a8648ce3d0201"))
_P256: Final = _der(_OBJECT_ID, bytes.fromhex("2a8648ce3d030107"))
_ECDSA_SHA256: Final = _der(_SEQUENCE, _der(_OBJECT_ID, bytes.fromhex("2a8648ce3d040302")))
_COMMON_NAME: Final = _der(_OBJECT_ID, bytes.fromhex("550403"))
_SUBJECT_ALT_NAME: Final = _der(_OBJECT_ID, bytes.fromhex("551d11"))
_BASIC_CONSTRAINTS: Final = _der(_OBJECT_ID, bytes.fromhex("551d13"))

_HOST: Final = b"localhost"
"""The name that go-plugin expects, whatever the transport."""
_NAME: Final = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_UTF8, _HOST))))
_EXTENSIONS: Final = _der(
    _TAGGED + 3,
    _der(
        _SEQUENCE,
        _der(_SEQUENCE, _BASIC_CONSTRAINTS, _TRUE, _der(_OCTET_STRING, _der(_SEQUENCE, _TRUE))),
        _der(_SEQUENCE, _SUBJECT_ALT_NAME, _der(_OCTET_STRING, _der(_SEQUENCE, _der(_DNS_NAME, _HOST)))),
    ),
)


class Certificate(NamedTuple):
    """A self-signed certificate and its key, as PEM; `handshake` is the certificate as the handshake line has it."""

    key: bytes
    chain: bytes
    handshake: str


def fresh_certificate() -> Certificate:
    """Make a key on P-256 and the certificate for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.private_numbers()
    point = _bits(
        b"\x04", numbers.public_numbers.x.to_bytes(_COORDINATE), numbers.public_numbers.y.to_bytes(_COORDINATE)
    )
    now = time.time()
    to_be_signed = _der(
        _SEQUENCE,
        _der(_TAGGED, _V3),
        _der(_INTEGER, b"\x01" + os.urandom(15)),
        _ECDSA_SHA256,
        _NAME,
        _der(_SEQUENCE, _utc(now - _DAY), _utc(now + _LIFE)),
        _NAME,
        _der(_SEQUENCE, _der(_SEQUENCE, _EC_PUBLIC_KEY, _P256), point),
        _EXTENSIONS,
    )
    signature = key.sign(to_be_signed, ec.ECDSA(hashes.SHA256()))
    certificate = _der(_SEQUENCE, to_be_signed, _ECDSA_SHA256, _bits(signature))
    secret = _der(
        _SEQUENCE,
        b"\x02\x01\x01",
        _der(_OCTET_STRING, numbers.private_value.to_bytes(_COORDINATE)),
        _der(_TAGGED, _P256),
        _der(_TAGGED + 1, point),
    )
    return Certificate(
        key=_pem("EC PRIVATE KEY", secret),
        chain=_pem("CERTIFICATE", certificate),
        handshake=base64.b64encode(certificate).rstrip(b"=").decode(),
    )


def _bits(*contents: bytes) -> bytes:
    return _der(_BIT_STRING, b"\0", *contents)


def _utc(seconds: float) -> bytes:
    return _der(_UTC_TIME, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def _pem(label: str, der: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(der) + f"-----END {label}-----\n".encode()
