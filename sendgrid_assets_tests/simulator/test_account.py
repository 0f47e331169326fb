import copy

from sendgrid_assets.simulator.account import Account
from sendgrid_assets.simulator.suppression import KINDS

ROWS = (
    "lists", "segments", "recipients", "custom_fields", "campaigns", "mc_lists", "mc_segments", "mc_contacts",
    "mc_single_sends", "mc_custom_fields", "mc_reserved_fields", "mc_senders", *KINDS, "asm_groups",
    "asm_suppressions", "templates", "reserved_fields", "mc_segment_queries", "mc_single_send_stats",
    "mc_single_send_links", "mc_automation_stats", "categories", "subusers", "verified_senders", "messages",
)  # fmt: skip


def _contents(account: Account) -> dict[str, object]:
    return {name: copy.deepcopy(getattr(account, name)) for name in (*ROWS, "members")}


def test_same_seed_same_account_also_as_it_changes() -> None:
    one, two, other = (Account(seed=seed, clock=lambda: 1_800_000_000) for seed in (7, 7, 8))
    assert _contents(one) == _contents(two) != _contents(other)
    one.advance(5)
    two.advance(5)
    assert _contents(one) == _contents(two)


def test_every_collection_has_rows() -> None:
    assert [name for name in ROWS if not getattr(Account(), name)] == []


def test_awkward_rows_are_there() -> None:
    account = Account()
    assert any("email" not in row for row in account.mc_contacts)
    assert any(row["status"] == "" for row in account.bounces)
    assert any(" " in row["email"] or "_" in row["email"] for row in account.invalid_emails)
    seconds = [row["created"] for row in account.unsubscribes]
    assert len(set(seconds)) < len(seconds)
    assert any(not row.get("first_name", "").isascii() for row in account.mc_contacts)


def test_addresses_are_of_example_domains() -> None:
    account = Account()
    account.advance(10)
    emails = [
        row.get("email", "@example.com")
        for name in ("recipients", "mc_contacts")
        for row in getattr(account, name)
    ]
    assert all(email.split("@")[1].endswith(("example.com", "example.org")) for email in emails)


def test_keys_are_unique() -> None:
    account = Account()
    account.advance(20)
    keys = [[row["email"] for row in getattr(account, kind)] for kind in KINDS]
    keys += [[row["id"] for row in account.recipients], [row["contact_id"] for row in account.mc_contacts]]
    keys += [[row["id"] for row in account.mc_single_sends], [row["id"] for row in account.campaigns]]
    keys += [[row["category"] for row in account.categories], [row["msg_id"] for row in account.messages]]
    keys += [[(row["id"], row["ab_variation"], row["ab_phase"]) for row in account.mc_single_send_stats]]
    keys += [[(row["id"], row["step_id"]) for row in account.mc_automation_stats]]
    for links in account.mc_single_send_links.values():
        keys += [[(row["url"], row["url_location"], row["ab_variation"], row["ab_phase"]) for row in links]]
    keys += [[(row["group_id"], row["email"]) for row in account.asm_suppressions]]
    assert all(len(set(column)) == len(column) for column in keys)


def test_counts_agree_with_members() -> None:
    account = Account()
    account.advance(20)
    for row in account.mc_lists:
        assert row["contact_count"] == len(account.members[row["id"]])
    for row in account.lists:
        assert row["recipient_count"] == len(account.members[str(row["id"])])
    for row in account.segments:
        assert row["recipient_count"] == len(account.members[str(row["id"])]) > 0
    for row in account.mc_segments:
        assert row["contacts_count"] == len(account.members[row["id"]])
    known = {row["contact_id"] for row in account.mc_contacts} | {row["id"] for row in account.recipients}
    assert set().union(*account.members.values()) <= known
    for group in account.asm_groups:
        left = [row for row in account.asm_suppressions if row["group_id"] == group["id"]]
        assert group["unsubscribes"] == len(left)


def test_a_few_steps_change_all_that_lives() -> None:
    account = Account(clock=lambda: 1_800_000_000)
    before = _contents(account)
    account.advance(5)
    after = _contents(account)
    still = {name for name in after if after[name] == before[name]}
    fields = {"custom_fields", "reserved_fields", "mc_custom_fields", "mc_reserved_fields"}
    assert still == {*fields, "mc_senders", "mc_segment_queries", "templates"}
    for name, key in (("mc_contacts", "contact_id"), ("recipients", "id"), ("unsubscribes", "email")):
        ids = [{row[key] for row in getattr(account, name)}, {row[key] for row in before[name]}]
        assert ids[0] - ids[1], f"{name} came"
        assert ids[1] - ids[0], f"{name} went"


def test_single_sends_go_from_draft_to_triggered() -> None:
    account = Account()
    draft = next(row for row in account.mc_single_sends if row["status"] == "draft")
    assert "send_at" not in draft
    seen = [draft["status"]]
    for _ in range(6):
        account.advance()
        if draft["status"] != seen[-1]:
            seen.append(draft["status"])
            assert draft["send_at"]
    assert seen == ["draft", "scheduled", "triggered"]


def test_what_a_test_wrote_into_a_count_stays() -> None:
    account = Account(contacts=0)
    account.lists[4]["recipient_count"] = 200
    account.advance()
    assert account.lists[4]["recipient_count"] == 200


def test_an_emptied_account_still_changes() -> None:
    account = Account(contacts=3)
    for name in ROWS:
        getattr(account, name).clear()
    account.advance(3)
    assert account.mc_contacts
