"""How each object collection may be asked for: its pages, its parent, its details, its days."""

import re
import string
from collections.abc import Callable

import pytest

from sendgrid_assets.catalog.collection import ObjectCollection
from sendgrid_assets.catalog.objects import BY_TABLE, OBJECT_COLLECTIONS
from sendgrid_assets.catalog.paging import (
    ByActivity,
    ByDay,
    ByExport,
    ByLastSeen,
    ByNumber,
    ByOffset,
    ByToken,
    Whole,
)

NAME = re.compile(r"[a-z][a-z0-9_]*")
PATH = re.compile(r"/v3(/[a-z0-9_.]+|/\{[a-z_]+\})+")


def those(are: Callable[[ObjectCollection], object]) -> pytest.MarkDecorator:
    """A test of each collection that is so."""
    found = [collection for collection in OBJECT_COLLECTIONS if are(collection)]
    return pytest.mark.parametrize("collection", found, ids=lambda collection: collection.table)


every_collection = those(lambda collection: True)


def types(collection: ObjectCollection) -> dict[str, str]:
    return {column.name: column.type for column in collection.sent_columns}


def placeholders(path: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]


def exports(collection: ObjectCollection) -> list[ByExport]:
    paging = collection.paging
    style = paging.upgraded if isinstance(paging, ByNumber) else paging
    return [style] if isinstance(style, ByExport) else []


@every_collection
def test_its_path_is_filled_by_its_parent_alone(collection: ObjectCollection) -> None:
    assert PATH.fullmatch(collection.path)
    into = [collection.each.into] if collection.each else []
    narrowed = [style for style in exports(collection) if style.narrowed_by]
    assert placeholders(collection.path) in ([], into)
    assert bool(into) == bool(placeholders(collection.path) or narrowed)
    if not into:
        assert not narrowed


def test_no_two_are_read_from_the_same_place() -> None:
    asked = [
        (
            collection.path,
            *collection.params.items(),
            collection.nested,
            collection.each and collection.each.into,
        )
        for collection in OBJECT_COLLECTIONS
    ]
    assert len(set(asked)) == len(asked)


@every_collection
def test_its_pages_are_within_what_sendgrid_allows(collection: ObjectCollection) -> None:
    asked = {"limit", "offset", "page", "page_size", "page_token", "start_date", "end_date"}
    assert not asked & set(collection.params)
    match collection.paging:
        case Whole():
            assert not collection.each
        case ByOffset(limit=limit, frozen_by=frozen_by):
            assert 2 <= limit <= 500
            assert frozen_by not in collection.params
        case ByToken(page_size=size):
            assert 1 < size <= 1000
            assert collection.wrapper
        case ByNumber(page_size=size, upgraded=upgraded):
            assert 1 < size <= 1000
            assert not collection.params
            # An account that pages none shows only here that rows are missing.
            assert collection.count or (collection.each and collection.each.count)
            assert upgraded is not None
            assert upgraded.path
        case ByLastSeen(limit=limit):
            assert limit > 1
            assert collection.key == ("id",)
            assert types(collection)["id"] == "BIGINT"
            assert collection.wrapper
        case ByExport():
            assert not collection.wrapper
            assert collection.count or collection.each
        case ByDay(days=days, again_days=again_days):
            assert 0 < again_days < days <= 366
        case ByActivity(member=member, limit=limit, days=days):
            assert types(collection)[member] == "TIMESTAMP"
            assert limit == 1000
            assert days == 30
            assert collection.wrapper
            assert collection.lasting
        case _:
            pytest.fail(f"Nothing is known of {collection.paging}.")
    if collection.count is not None:
        assert re.fullmatch(r"/v3(/[a-z0-9_.]+)+/count", collection.count.path)
        assert NAME.fullmatch(collection.count.field)


@those(lambda collection: exports(collection))
def test_its_export_can_be_asked_for(collection: ObjectCollection) -> None:
    read = {column.path[0] for column in collection.sent_columns}
    for style in exports(collection):
        assert NAME.fullmatch(style.count_field)
        assert (style.path or collection.path).endswith("/exports")
        assert placeholders(style.path or collection.path) == []
        assert style.narrowed_by in ("list_ids", "segment_ids", None)
        assert set(style.renamed.values()) <= read
        assert not set(style.renamed) & read


@those(lambda collection: collection.each)
def test_its_parent_tells_what_it_is_asked_by(collection: ObjectCollection) -> None:
    each = collection.each
    assert each is not None
    assert BY_TABLE[each.parent.table] is each.parent
    # A parent is listed, and shown, before what is asked for by it.
    assert OBJECT_COLLECTIONS.index(each.parent) < OBJECT_COLLECTIONS.index(collection)
    assert not each.parent.each
    parents = types(each.parent)
    assert each.parent.key == (each.parent_id,)
    assert each.into in collection.key
    assert types(collection)[each.into] == parents[each.parent_id]
    assert each.into not in each.members
    read = {column.path[0] for column in collection.sent_columns if column.name != each.into}
    assert not each.members or set(each.members) == read
    if each.count is not None:
        assert parents[each.count] == "BIGINT"
    if each.watched is not None:
        assert each.count is not None
        assert BY_TABLE[each.watched].group == collection.group
    if each.where is not None:
        member, value = each.where
        assert parents[member] == "VARCHAR"
        (column,) = (column for column in each.parent.sent_columns if column.name == member)
        assert f"`{value}`" in column.description


@those(lambda collection: collection.details)
def test_its_details_are_among_its_columns(collection: ObjectCollection) -> None:
    details = collection.details
    assert details is not None
    assert PATH.fullmatch(details.path)
    assert placeholders(details.path) == ["id"]
    assert details.path.startswith(collection.path + "/")
    assert details.columns
    assert set(details.columns) < set(collection.sent_columns)
    assert types(collection)[details.by] == "TIMESTAMP"
    only_there = {column.path[0] for column in details.columns}
    listed = {column.path[0] for column in set(collection.sent_columns) - set(details.columns)}
    assert not only_there & listed
    assert not {details.by, *collection.key} & {column.name for column in details.columns}


@those(lambda collection: collection.nested)
def test_what_is_nested_is_left_out_where_it_is_nested(collection: ObjectCollection) -> None:
    assert collection.wrapper
    (outer,) = (
        other
        for other in OBJECT_COLLECTIONS
        if other.path == collection.path and other.nested is None and other.params == collection.params
    )
    assert collection.nested in outer.ignored
    assert outer.paging == collection.paging


@those(lambda collection: collection.since)
def test_what_is_new_can_be_told(collection: ObjectCollection) -> None:
    since = collection.since
    assert since is not None
    assert types(collection)[since.column] == "TIMESTAMP"
    assert since.parameter not in collection.params
    assert isinstance(collection.paging, ByOffset)
    assert since.parameter != collection.paging.frozen_by
    assert since.again_seconds > 0


def test_suppressions_that_take_a_time_are_asked_for_what_is_new() -> None:
    asked = {collection.table for collection in OBJECT_COLLECTIONS if collection.since}
    assert asked == {c.table for c in OBJECT_COLLECTIONS if c.path.startswith("/v3/suppression/")}
    assert len(asked) == 5


def test_only_daily_statistics_have_a_day() -> None:
    dated = {c.table for c in OBJECT_COLLECTIONS if "DATE" in types(c).values()}
    assert dated == {c.table for c in OBJECT_COLLECTIONS if isinstance(c.paging, ByDay)}


@those(lambda collection: isinstance(collection.paging, ByDay))
def test_daily_statistics_stay_and_have_their_day(collection: ObjectCollection) -> None:
    assert types(collection)["date"] == "DATE"
    assert collection.key[0] == "date"
    assert collection.lasting
    assert collection.wrapper == ()
    assert collection.params == {"aggregated_by": "day"}
    counted = {column for column in collection.sent_columns if column.path[0] == "metrics"}
    assert counted
    assert all(column.name == column.path[1] and column.type == "BIGINT" for column in counted)
    others = {column.name for column in set(collection.sent_columns) - counted}
    assert others == ({"date"} if collection.table == "stats" else {"date", "type", "name"})
    assert set(collection.key) == others - {"type"}


@those(lambda collection: isinstance(collection.paging, ByDay) and collection.paging.names)
def test_its_names_are_listed(collection: ObjectCollection) -> None:
    assert isinstance(collection.paging, ByDay)
    names = collection.paging.names
    assert names is not None
    assert BY_TABLE[names.parent.table] is names.parent
    assert types(names.parent)[names.member] == "VARCHAR"
    assert OBJECT_COLLECTIONS.index(names.parent) < OBJECT_COLLECTIONS.index(collection)
    assert names.parameter not in collection.params
    assert names.most == 10


def test_all_contacts_are_exported() -> None:
    assert isinstance(BY_TABLE["mc_contacts"].paging, ByExport)
    assert all(exports(BY_TABLE[table]) for table in ("mc_contact_lists", "mc_segment_contacts"))
    assert all(exports(BY_TABLE[table]) for table in ("recipients", "list_recipients"))


def test_templates_of_both_generations_come() -> None:
    assert BY_TABLE["templates"].params == {"generations": "legacy,dynamic"}
    assert BY_TABLE["template_versions"].nested == "versions"
