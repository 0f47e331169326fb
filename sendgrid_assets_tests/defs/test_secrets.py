"""What Dagster keeps of runs holds neither the key nor anybody's address."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sendgrid_assets_tests.site import API_KEY, Site, make_site


def _stored(site: Site) -> bytes:
    site.instance.dispose()
    return b"".join(path.read_bytes() for path in (site.folder / "dagster").rglob("*") if path.is_file())


def _addresses(site: Site) -> set[str]:
    rows = [*site.account.recipients, *site.account.mc_contacts, *site.account.bounces]
    return {row["email"] for row in rows if row.get("email")}


def test_after_runs_that_went_well(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    site.post(site.traffic.batch(100), [{"email": "nobody@example.com"}])
    assert site.sync("recipients", "mc_contacts", "suppression_bounces").success
    assert site.run("sendgrid_drain").success
    printed = capfd.readouterr()
    kept = _stored(site) + printed.out.encode() + printed.err.encode()
    assert API_KEY.encode() not in kept
    assert {
        address for address in {*_addresses(site), "nobody@example.com"} if address.encode() in kept
    } == set()


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse({"recipients": [{"email": "victim@example.com"}]}),
        Response(b'{"recipients": [{"id": "1", "email": "victim@example.com"', media_type="application/json"),
        JSONResponse({"errors": [{"message": "no such victim@example.com"}]}, 400),
        JSONResponse({"errors": [{"message": "access forbidden to victim@example.com"}]}, 403),
        Response(
            b'{"recipients": [{"id": "1", "email": "victim@example.com\\ud83d"}]}',
            media_type="application/json",
        ),
        JSONResponse({"recipients": [{"id": "1", "email": "victim@example.com\x00"}]}),
        Response(
            b'{"recipients": [{"id": "1", "email": "victim@example.com\xff"}]}', media_type="application/json"
        ),
    ],
    ids=["no key", "cut", "400", "403", "lone surrogate", "NUL", "bad UTF-8"],
)
def test_after_runs_that_went_badly(
    tmp_path: Path, answer: Response, capfd: pytest.CaptureFixture[str]
) -> None:
    def intercept(request: Request) -> Response | None:
        return answer if request.url.path == "/v3/contactdb/recipients" else None

    with make_site(tmp_path, intercept=intercept) as site:
        site.sync("recipients")
        printed = capfd.readouterr()
        kept = _stored(site) + printed.out.encode() + printed.err.encode()
        assert b"victim@example.com" not in kept
        assert API_KEY.encode() not in kept
