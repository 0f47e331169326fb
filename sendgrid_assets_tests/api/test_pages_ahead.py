"""Pages asked for before their turn: the same rows as one after the other, at hardly more cost."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from sendgrid_assets.api import paging
from sendgrid_assets.api.client import Client
from sendgrid_assets.api.errors import BadAnswerError
from sendgrid_assets.api.evidence import Evidence
from sendgrid_assets.api.paging import WIDTH
from sendgrid_assets.catalog.paging import ByNumber, ByOffset, Paging

from .conftest import API_KEY, MakeClient, Stage
from .paged import LIMIT, ROWS, STARTS, STYLES, Paged, ids, read
from .waiting import eventually

SIZES = [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 2 * LIMIT - 1, 2 * LIMIT, 7 * LIMIT, 10 * LIMIT + 3, 61]


def sequential_cost(style: Paging, rows: int) -> int:
    """Requests that a pager makes which asks for one page after the other."""
    if isinstance(style, ByNumber):
        return -(-max(rows, 1) // LIMIT) + 1
    if isinstance(style, ByOffset):
        offset, requests = 0, 1
        while (found := min(LIMIT, rows - offset)) > (requests > 1):
            if style.short_page_ends and found < LIMIT:
                break
            offset, requests = offset + found - 1, requests + 1
        return requests
    return rows // LIMIT + 1 if "LastSeen" in type(style).__name__ else max(1, -(-rows // LIMIT))


@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("name", STYLES)
def test_every_row_comes_once_at_hardly_more_cost(make_client: MakeClient, name: str, rows: int) -> None:
    paged = Paged(range(1, rows + 1))
    evidence = Evidence()
    client = make_client(paged)
    assert ids(read(client, STYLES[name], evidence)) == list(range(1, rows + 1))
    assert evidence.doubt is None
    client.close()
    cost = sequential_cost(STYLES[name], rows)
    spare = WIDTH - 1 if rows > LIMIT and name not in ("token", "last seen") else 0
    assert cost <= paged.asked <= cost + spare


@pytest.mark.parametrize("name", ["offset", "offset to an empty page", "number"])
def test_pages_are_under_way_side_by_side(make_client: MakeClient, name: str) -> None:
    paged = Paged(range(60))
    paged.delays = (0.05,)
    together: list[int] = []
    paged.before = lambda _number, _position: together.append(paged.asked - len(paged.served))  # type: ignore[func-returns-value]
    assert ids(read(make_client(paged), STYLES[name])) == list(range(60))
    assert max(together) == WIDTH
    # The first pages come one by one: they may be all there are.
    assert together[:2] == [1, 1]


@pytest.mark.parametrize("name", [name for name in STYLES if name != "last seen"])
def test_next_page_is_asked_for_while_the_present_one_is_used(make_client: MakeClient, name: str) -> None:
    paged = Paged(range(3 * LIMIT))
    pages = read(make_client(paged), STYLES[name])
    next(pages)
    eventually(lambda: len(paged.served) == 2)


@pytest.mark.parametrize("name", [name for name in STYLES if name != "last seen"])
def test_reader_that_leaves_asks_for_nothing_more(make_client: MakeClient, name: str) -> None:
    paged = Paged(range(100))
    paged.delays = (0.02,)
    client = make_client(paged)
    pages = read(client, STYLES[name])
    for _ in range(4):
        next(pages)
    pages.close()  # type: ignore[attr-defined]
    client.close()
    asked = paged.asked
    assert asked <= 4 + WIDTH
    time.sleep(0.05)
    assert paged.asked == asked


delays = st.lists(st.sampled_from([0.0, 0.0, 0.002, 0.006]), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(0, 40),
    limit=st.integers(2, 6),
    most=st.integers(2, 8),
    delays=delays,
    short_page_ends=st.booleans(),
)
def test_offsets_give_every_row_whatever_the_server_allows(
    stage: Stage, rows: int, limit: int, most: int, delays: list[float], short_page_ends: bool
) -> None:
    paged = stage.app = Paged(range(rows))
    paged.most, paged.delays = most, delays
    style = ByOffset(limit=limit, short_page_ends=short_page_ends and most >= limit)
    evidence = Evidence()
    with Client(API_KEY, stage.url) as client:
        assert ids(read(client, style, evidence)) == list(range(rows))
    assert not evidence.moved


@pytest.mark.parametrize("short_at", range(6))
def test_page_that_is_short_in_the_middle_costs_no_row(make_client: MakeClient, short_at: int) -> None:
    """A server that hands out fewer rows now and then, as documented for none and seen with some."""
    paged = Paged(range(40))

    def before(_number: int, position: int) -> Response | None:
        if position != short_at * (LIMIT - 1):
            return None
        return JSONResponse({"rows": paged.rows[position : position + 2]})

    paged.before = before
    evidence = Evidence()
    style = ByOffset(limit=LIMIT, short_page_ends=False)
    assert ids(read(make_client(paged), style, evidence)) == list(range(40))
    assert not evidence.moved


changes = st.lists(
    st.tuples(st.integers(0, 14), st.sampled_from(["add", "remove"]), st.integers(0, 60)), max_size=4
)


@settings(max_examples=120, deadline=None)
@given(rows=st.integers(0, 30), limit=st.integers(2, 5), changes=changes, delays=delays)
def test_no_row_is_skipped_unnoticed(
    stage: Stage, rows: int, limit: int, changes: list[tuple[int, str, int]], delays: list[float]
) -> None:
    paged = stage.app = Paged(range(rows))
    paged.delays = delays
    stayed = set(range(rows))
    fresh = iter(range(1000, 2000))

    def before(number: int, _position: int) -> None:
        for at, what, where in changes:
            if at == number and what == "add":
                paged.rows.insert(where % (len(paged.rows) + 1), {"id": next(fresh)})
            elif at == number and paged.rows:
                stayed.discard(paged.rows.pop(where % len(paged.rows))["id"])

    paged.before = before
    evidence = Evidence()
    with Client(API_KEY, stage.url) as client:
        found = ids(read_or_fail(client, ByOffset(limit=limit), evidence))
    assert stayed <= set(found) or evidence.moved
    assert set(found) <= set(range(rows)) | set(range(1000, 2000))
    if not changes:
        assert found == list(range(rows))
        assert not evidence.moved


@settings(max_examples=80, deadline=None)
@given(
    rows=st.integers(1, 30),
    at=st.integers(0, 9),
    from_=st.integers(0, 29),
    to=st.integers(0, 29),
    delays=delays,
)
def test_row_that_slides_is_read_or_its_sliding_noticed(
    stage: Stage, rows: int, at: int, from_: int, to: int, delays: list[float]
) -> None:
    paged = stage.app = Paged(range(rows))
    paged.delays = delays

    def before(number: int, _position: int) -> None:
        if number == at:
            paged.rows.insert(to % rows, paged.rows.pop(from_ % rows))

    paged.before = before
    evidence = Evidence()
    with Client(API_KEY, stage.url) as client:
        found = ids(read_or_fail(client, ByOffset(limit=3), evidence))
    assert set(found) == set(range(rows)) or evidence.moved


def read_or_fail(client: Client, style: Paging, evidence: Evidence) -> list[list[bytes]]:
    """The pages; none where moved rows made one repeat another, which fails a listing and loses nothing."""
    with contextlib.suppress(BadAnswerError):
        return list(read(client, style, evidence))
    assert evidence.moved
    return []


@pytest.mark.parametrize("name", STYLES)
def test_endless_listing_is_given_up(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 12)
    paged = Paged(range(10_000))
    with pytest.raises(BadAnswerError), make_client(paged) as client:
        ids(read(client, STYLES[name]))
    assert 12 <= paged.asked <= 12 + WIDTH


@pytest.mark.parametrize("name", ["offset", "offset to an empty page"])
@pytest.mark.parametrize("at", range(1, 8))
def test_listing_that_shrinks_is_not_taken_for_whole(make_client: MakeClient, name: str, at: int) -> None:
    paged = Paged(range(ROWS))

    def before(number: int, _position: int) -> None:
        if number == at:
            del paged.rows[:10]

    paged.before = before
    evidence = Evidence()
    found = ids(read(make_client(paged), STYLES[name], evidence))
    assert evidence.moved or set(found) >= set(range(10, ROWS))
    # Unless the end had been read before, it shows.
    assert evidence.moved or max(paged.served[:at]) >= STARTS[name][-1]


def test_empty_numbered_pages_amid_full_ones_are_passed(make_client: MakeClient) -> None:
    paged = Paged(range(60))
    empty = JSONResponse({"rows": []})
    paged.before = lambda _, position: empty if position in (8, 12, 40) else None
    left_out = {*range(8, 16), *range(40, 44)}
    found = ids(read(make_client(paged), ByNumber(page_size=LIMIT)))
    assert found == [id_ for id_ in range(60) if id_ not in left_out]


def test_empty_numbered_pages_end_a_listing_at_last(make_client: MakeClient) -> None:
    paged = Paged(range(8))
    paged.before = lambda _, position: JSONResponse({"rows": []}) if position >= 8 else None
    with make_client(paged) as client:
        assert ids(read(client, ByNumber(page_size=LIMIT))) == list(range(8))
    assert 2 + paging.MOST_EMPTY_PAGES <= paged.asked < 2 + paging.MOST_EMPTY_PAGES + WIDTH


def test_second_numbered_page_like_the_first_is_withheld(make_client: MakeClient) -> None:
    paged = Paged(range(100))
    paged.before = lambda _number, _position: JSONResponse({"rows": paged.rows[:LIMIT]})
    evidence = Evidence()
    with make_client(paged) as client:
        assert ids(read(client, ByNumber(page_size=LIMIT), evidence)) == list(range(LIMIT))
    assert evidence.withheld
    assert paged.asked == 2
