"""Where an answer keeps its rows."""

from dataclasses import replace

import pytest
from starlette.responses import Response

from sendgrid_assets.api.body import rows_of
from sendgrid_assets.api.errors import BadAnswerError
from sendgrid_assets.api.paging import whole
from sendgrid_assets.catalog.objects import BY_TABLE
from sendgrid_assets.catalog.paging import Whole

from .conftest import MakeClient, Script

FIELDS = replace(
    BY_TABLE["lists"],
    path="/v3/marketing/field_definitions",
    paging=Whole(),
    wrapper=("reserved_fields",),
    also_in=("custom_fields",),
)
SEGMENTS = replace(
    BY_TABLE["lists"], path="/v3/x", paging=Whole(), wrapper=("results",), also_in=(), bare_too=True
)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"custom_fields": [{"id":1}], "reserved_fields": [{"id":2}]}', [b'{"id":2}', b'{"id":1}']),
        (b'{"reserved_fields": [{"id":2}]}', [b'{"id":2}']),
        (b'{"reserved_fields": [], "custom_fields": [{"id":1}], "_metadata": {}}', [b'{"id":1}']),
        (b'{"reserved_fields": []}', []),
    ],
)
def test_further_rows_follow_and_may_be_absent(
    make_client: MakeClient, body: bytes, rows: list[bytes]
) -> None:
    assert [*whole(make_client(Script(Response(body))), FIELDS)] == [rows]


@pytest.mark.parametrize(
    "body",
    [
        b'{"custom_fields": [{"id":1}]}',
        b'{"reserved_fields": [], "custom_fields": null}',
        b'{"reserved_fields": [], "custom_fields": {"id":1}}',
        b'{"reserved_fields": [], "custom_fields": [1]}',
        b"[]",
        b"{}",
    ],
)
def test_rows_elsewhere_are_no_rows(body: bytes) -> None:
    with pytest.raises(BadAnswerError, match=FIELDS.path):
        rows_of(FIELDS, body)


@pytest.mark.parametrize("body", [b'{"results": [{"id":1}]}', b'[{"id":1}]', b' \n[{"id":1}]'])
def test_bare_array_is_taken_where_the_catalog_says_so(body: bytes) -> None:
    assert rows_of(SEGMENTS, body) == [b'{"id":1}']


@pytest.mark.parametrize("body", [b"{}", b"[1]", b'{"segments": []}', b"null", b"", b"[] []"])
def test_other_bodies_are_none_all_the_same(body: bytes) -> None:
    with pytest.raises(BadAnswerError, match=SEGMENTS.path):
        rows_of(SEGMENTS, body)


def test_bare_array_is_not_taken_elsewhere() -> None:
    with pytest.raises(BadAnswerError):
        rows_of(replace(SEGMENTS, bare_too=False), b"[]")
