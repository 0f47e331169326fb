"""Every published and derived signature vector gives the verdict it names."""

from __future__ import annotations

import base64

import pytest

from sendgrid_assets.settings import SettingsError, load_settings
from sendgrid_assets.webhook.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, read_public_key, verify

from .conftest import facts

UNUSABLE_KEYS = {"key_with_trailing_text", "key_truncated"}


def test_verdicts_on_all_vectors() -> None:
    for vector in facts("signature_vectors.json"):
        if vector["name"] in UNUSABLE_KEYS:
            with pytest.raises(ValueError, match="verification key"):
                read_public_key(vector["public_key"])
            with pytest.raises(SettingsError, match="SENDGRID_WEBHOOK_PUBLIC_KEY"):
                load_settings({"SENDGRID_WEBHOOK_PUBLIC_KEY": vector["public_key"]})
            continue
        body = base64.b64decode(vector["payload_base64"])
        keys = [read_public_key(vector["public_key"])]
        verdict = verify(keys, vector["signature"], vector["timestamp"], body)
        assert verdict is vector["valid"], vector["name"]


def test_verdicts_on_all_vectors_over_http(serve) -> None:
    vectors = [vector for vector in facts("signature_vectors.json") if vector["name"] not in UNUSABLE_KEYS]
    keys = sorted({vector["public_key"] for vector in vectors})
    for key in keys:
        with serve({"SENDGRID_WEBHOOK_PUBLIC_KEY": key}) as served:
            for vector in (vector for vector in vectors if vector["public_key"] == key):
                headers = {SIGNATURE_HEADER: vector["signature"], TIMESTAMP_HEADER: vector["timestamp"]}
                before = served.files()
                answer = served.post(base64.b64decode(vector["payload_base64"]), headers=headers)
                assert answer.status_code == (204 if vector["valid"] else 401), vector["name"]
                if not vector["valid"]:
                    assert served.files() == before, vector["name"]


def test_two_keys_are_taken_while_one_is_rotated(serve, signer) -> None:
    vector = facts("signature_vectors.json")[0]
    with serve({"SENDGRID_WEBHOOK_PUBLIC_KEY": f"{vector['public_key']}, {signer.public_key}"}) as served:
        assert served.post(b"[]").status_code == 204
        headers = {SIGNATURE_HEADER: vector["signature"], TIMESTAMP_HEADER: vector["timestamp"]}
        assert served.post(base64.b64decode(vector["payload_base64"]), headers=headers).status_code == 204
