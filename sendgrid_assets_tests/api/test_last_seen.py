"""A listing that goes on from the highest id of the page before."""

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api.errors import BadAnswerError
from sendgrid_assets.catalog.paging import ByLastSeen

from .conftest import MakeClient, Script
from .paged import ids, read

STYLE = ByLastSeen(limit=2)


def page(*found: object) -> Response:
    return JSONResponse({"rows": [{"id": id_} for id_ in found]})


def test_goes_on_from_the_highest_id_in_camel_case(make_client: MakeClient) -> None:
    script = Script(page(7, 3), page(9, 8), page(12))
    assert ids(read(make_client(script), STYLE)) == [7, 3, 9, 8, 12]
    sent = [dict(request.query_params) for request in script.requests]
    assert sent == [{"limit": "2"}, {"limit": "2", "lastSeenID": "7"}, {"limit": "2", "lastSeenID": "9"}]


@pytest.mark.parametrize("last", [(), (9,)])
def test_short_page_ends_it(make_client: MakeClient, last: tuple[int, ...]) -> None:
    script = Script(page(1, 2), page(*last))
    assert ids(read(make_client(script), STYLE)) == [1, 2, *last]
    assert len(script.requests) == 2


@pytest.mark.parametrize("second", [(1, 2), (2, 1), (0, 1), (2,), (1,)])
def test_id_that_does_not_rise_is_a_circle(make_client: MakeClient, second: tuple[int, ...]) -> None:
    script = Script(page(1, 2), page(*second))
    with pytest.raises(BadAnswerError, match="circle"):
        list(read(make_client(script), STYLE))
    assert len(script.requests) == 2


def test_server_that_ignores_the_parameter_is_not_asked_for_ever(make_client: MakeClient) -> None:
    def answer(_: Request) -> Response:
        return page(5, 6)

    with pytest.raises(BadAnswerError):
        list(read(make_client(Script(answer)), STYLE))


@pytest.mark.parametrize("id_", ["8", None, 8.5, [8], {"id": 8}])
def test_id_that_is_no_integer_leads_nowhere(make_client: MakeClient, id_: object) -> None:
    with pytest.raises(BadAnswerError, match="integer"):
        list(read(make_client(Script(page(1, id_))), STYLE))
