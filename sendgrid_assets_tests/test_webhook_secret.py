"""The secret at the end of a webhook's address, as a setting."""

from __future__ import annotations

import pytest

from sendgrid_assets.settings import load_settings

from .test_settings import MARK, sentence


@pytest.mark.parametrize("value", ["too-short", "with/a/slash/in/it", "with blanks in it", "ünusual-" * 4])
def test_a_webhook_secret_stands_in_an_address(value: str) -> None:
    told = sentence(SENDGRID_WEBHOOK_SECRET=value)
    assert told.startswith("SENDGRID_WEBHOOK_SECRET: ")
    assert value not in told
    assert "16 or more" in told


def test_a_webhook_secret_is_not_shown() -> None:
    (source,) = load_settings({"SENDGRID_WEBHOOK_SECRET": f" {MARK}_0123456789 \n"}).sources
    assert source.webhook_secret is not None
    assert source.webhook_secret.get_secret_value() == f"{MARK}_0123456789"
    assert MARK not in repr(source)
