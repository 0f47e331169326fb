"""Answers that fail on one page of many: the listing fails with it, whichever page it is, or loses no row."""

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from sendgrid_assets.api.errors import SendGridError

from .conftest import RESET, FakeTime, MakeClient, raw_server
from .paged import LIMIT, ROWS, STARTS, STYLES, Paged, ids, read

FAULTS: dict[str, Response] = {
    "400": JSONResponse({"errors": [{"message": "no"}]}, 400),
    "403": JSONResponse({"errors": [{"message": "access forbidden"}]}, 403),
    "404": JSONResponse({"errors": [{"message": "not found"}]}, 404),
    "503": JSONResponse({}, 503),
    "HTML": HTMLResponse("<html><body>maintenance</body></html>"),
    "nothing": Response(b""),
    "cut": Response(b'{"rows": [{"id": 1}, {"id"'),
    "error with 200": JSONResponse({"errors": [{"message": "internal error"}]}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", STYLES)
def test_failure_of_any_page_fails_the_listing(make_client: MakeClient, name: str, fault: Response) -> None:
    for failing in STARTS[name]:
        paged = Paged(range(ROWS))
        paged.before = lambda _, position, failing=failing: fault if position == failing else None  # type: ignore[misc]
        with pytest.raises(SendGridError), make_client(paged) as client:
            ids(read(client, STYLES[name]))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", ["offset", "number"])
def test_failure_beyond_the_end_fails_nothing(make_client: MakeClient, name: str, fault: Response) -> None:
    paged = Paged(range(ROWS))
    paged.before = lambda _, position: fault if position > STARTS[name][-1] else None
    assert ids(read(make_client(paged), STYLES[name])) == list(range(ROWS))


@pytest.mark.parametrize("start", [RESET, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"])
@pytest.mark.parametrize("name", STYLES)
def test_broken_connection_at_any_page_fails_the_listing(
    make_client: MakeClient, name: str, start: bytes
) -> None:
    # Of each page's answer, a further connection's worth is whole; then no more comes.
    for whole in range(1, 4):
        paged = Paged(range(1_000))
        pages = [
            JSONResponse({"rows": paged.rows[n * (LIMIT - 1) :][:LIMIT], "_metadata": {"next": f"?n={n}"}})
            for n in range(whole)
        ]
        answers = [
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (len(page.body), page.body)
            for page in pages
        ]
        with raw_server(*answers, start) as url, make_client(url=url) as client, pytest.raises(SendGridError):
            ids(read(client, STYLES[name]))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "2"},
        {"X-RateLimit-Reset": "soon"},
        {"X-RateLimit-Reset": "0"},
        {"X-RateLimit-Reset": "99999999999"},
        {"X-RateLimit-Reset": "1", "X-RateLimit-Remaining": "0"},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", STYLES)
def test_storm_of_429_costs_time_and_no_row(
    make_client: MakeClient, fake_time: FakeTime, name: str, headers: dict[str, str]
) -> None:
    paged = Paged(range(40))
    refused: set[int] = set()

    def before(_number: int, position: int) -> Response | None:
        if position in refused:
            return None
        refused.add(position)
        return JSONResponse({}, 429, headers=headers)

    paged.before = before
    client = make_client(paged)
    assert ids(read(client, STYLES[name])) == list(range(40))
    assert client.waited_seconds > 0
    assert max(fake_time.waits) <= 300
