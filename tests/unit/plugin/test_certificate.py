"""The certificate of the handshake, read by a library that knows nothing of how it was made."""

from __future__ import annotations

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provider_py.rpc.certificate import fresh_certificate


def test_certificate_is_sound() -> None:
    made = fresh_certificate()
    certificate = x509.load_pem_x509_certificate(made.chain)
    certificate.verify_directly_issued_by(certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (True, True)
    assert certificate.version is x509.Version.v3
    assert certificate.serial_number.bit_length() > 64
    now = datetime.datetime.now(datetime.UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc - now > datetime.timedelta(days=29)


def test_key_belongs_to_the_certificate() -> None:
    for _ in range(20):
        made = fresh_certificate()
        key = serialization.load_pem_private_key(made.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert isinstance(key.curve, ec.SECP256R1)
        assert key.public_key() == x509.load_pem_x509_certificate(made.chain).public_key()


def test_handshake_form_is_the_unpadded_der() -> None:
    made = fresh_certificate()
    der = x509.load_pem_x509_certificate(made.chain).public_bytes(serialization.Encoding.DER)
    assert "=" not in made.handshake
    assert base64.b64decode(made.handshake + "=" * (-len(made.handshake) % 4)) == der


def test_each_certificate_is_another() -> None:
    assert fresh_certificate().handshake != fresh_certificate().handshake
