"""The webhook's key pair.

Belongs here: making, keeping and showing it. Does not: signing (`traffic`).
"""

from __future__ import annotations

import base64
import contextlib
import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key on SendGrid's curve, P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def kept_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """The key in a PEM file, which is made, for its owner's eyes only, where there is none yet.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: the file holds no P-256 key.
    """
    with contextlib.suppress(FileNotFoundError):
        return _read(file.read_bytes())
    key = new_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another process made it at this very moment.
        return _read(file.read_bytes())
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
    return key


def shown(key: ec.EllipticCurvePrivateKey) -> str:
    """The public half as SendGrid's settings page shows it: base64 of its SubjectPublicKeyInfo."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _read(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("the webhook key file holds a key of another kind")  # noqa: TRY004
    return key
