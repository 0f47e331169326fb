"""SendGrid's signature: ECDSA over P-256 and SHA-256, of the timestamp header's text and the raw body.

Belongs here: reading verification keys and judging a signature. Does not: HTTP.
Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

if TYPE_CHECKING:
    from collections.abc import Iterable

SIGNATURE_HEADER = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP_HEADER = "X-Twilio-Email-Event-Webhook-Timestamp"

PublicKey = ec.EllipticCurvePublicKey

_OF_A_DIGEST = ec.ECDSA(Prehashed(SHA256()))


def read_public_key(text: str) -> PublicKey:
    """The verification key SendGrid shows: base64 of a SubjectPublicKeyInfo, 124 characters.

    Raises:
        ValueError: it is not a whole P-256 key.
    """
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is not a whole verification key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("is a key of another kind than SendGrid's")  # noqa: TRY004
    return key


def verify(keys: Iterable[PublicKey], signature: str, timestamp: str, body: bytes) -> bool:
    """Whether any of the keys signed exactly this timestamp text and body.

    Args:
        keys: verification keys in force; several while one is being rotated.
        signature: the signature header, base64 of a DER signature.
        timestamp: the timestamp header, as sent.
        body: the raw body; never parsed and rebuilt.
    """
    try:
        der = base64.b64decode(signature, validate=True)
        digest = hashlib.sha256(timestamp.encode("latin-1"))
    except (binascii.Error, ValueError):
        return False
    if not der or not timestamp:
        return False
    # Hashed here, and once: to verify both in one piece would copy the body.
    digest.update(body)
    signed = digest.digest()
    return any(_signed(key, der, signed) for key in keys)


def _signed(key: PublicKey, der: bytes, digest: bytes) -> bool:
    try:
        key.verify(der, digest, _OF_A_DIGEST)
    except InvalidSignature:
        return False
    return True
