"""No route answers whoever is not signed in, comes from elsewhere, or has not the permission."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.channels import pages
from desk import accounts
from desk.models import Agent
from tests.desk.accounts.conftest import PEOPLE
from tests.desk.accounts.server import ROUTES, Browser, Desk

# What is answered without a session, and why nothing is given away by it.
WITHOUT_A_SESSION = {
    ("GET", "/static/<path:path>"),  # scripts and styles of the page
    ("GET", "/v1/words/<file:str>"),  # its words
    ("POST", "/v1/sign-in"),
    ("GET", "/v1/oidc/start"),
    ("GET", "/v1/oidc/callback"),
}
# What is needed for it, by the protocol: (method, path, body) and the permission.
NEEDS = [
    ("GET", "audit", "audit"),
    ("GET", "agents?all=1", "manage_agents"),
    ("POST", "agents", "manage_agents"),
    ("PATCH", "agents/Luis", "manage_agents"),
]
MAY = {"luis": set(), "marta": {"audit"}, "ada": {"audit", "manage_agents"}}


def routes_of(desk: Desk) -> list[tuple[str, str]]:
    """(method, path below the desk's) of every route that is there, also those that others have added."""
    found = []
    for route in desk.thread.app.router.routes:
        path = f"/{route.path.lstrip('/')}"
        if path.startswith(ROUTES):
            found += [(method, path.removeprefix(ROUTES)) for method in route.methods]
    return sorted(found)


def tried(browser: Browser, method: str, path: str) -> tuple[int, dict[str, object]]:
    filled = re.sub(r"<[^>]+>", "1", path)
    answer = browser.http.request(method, f"{browser.http.base_url}".rstrip("/").removesuffix("/v1") + filled)
    return answer.status_code, answer.json() if answer.headers["content-type"] == "application/json" else {}


def guarded_routes(desk: Desk) -> list[tuple[str, str]]:
    return [each for each in routes_of(desk) if each not in WITHOUT_A_SESSION]


def test_the_walk_finds_the_routes(desk: Desk) -> None:
    assert {("GET", "/v1/agents"), ("POST", "/v1/agents"), ("GET", "/v1/me"), ("PATCH", "/v1/agents/<name:str>")} <= set(
        guarded_routes(desk)
    )
    assert set(routes_of(desk)) >= WITHOUT_A_SESSION


def test_no_route_answers_an_outsider(desk: Desk) -> None:
    outsider = desk.browser()
    answers = {route: tried(outsider, *route) for route in guarded_routes(desk)}
    assert {route: answer[0] for route, answer in answers.items() if answer[0] != 401} == {}
    assert {answer[1].get("error") for answer in answers.values()} == {"signed_out"}


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"X-Tendero-Desk": ""}]
)
def test_no_route_changes_anything_for_another_page(desk: Desk, headers: dict[str, str]) -> None:
    elsewhere = desk.browser(**headers)
    elsewhere.token = desk.signed_in("ada").token
    changing = [each for each in routes_of(desk) if each[0] not in ("GET", "HEAD")]
    answers = {route: tried(elsewhere, *route) for route in changing}
    assert {route: answer for route, answer in answers.items() if answer[0] != 403} == {}
    assert {answer[1]["error"] for answer in answers.values()} == {"forbidden"}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("method", "path", "permission"), NEEDS)
def test_what_needs_a_permission_is_for_those_who_have_it(desk: Desk, who: str, method: str, path: str, permission: str) -> None:
    answer = desk.signed_in(who).http.request(method, path, json={})
    if permission in MAY[who]:
        assert answer.status_code in (200, 400)
    else:
        assert (answer.status_code, answer.json()) == (403, {"error": "forbidden", "needs": permission})


def test_a_role_that_is_taken_away_counts_at_the_next_request(desk: Desk) -> None:
    ada, marta = desk.signed_in("ada"), desk.signed_in("marta")
    assert marta.get("audit").status_code == 200
    assert ada.patch("agents/Marta", {"role": "agent"}).status_code == 200
    assert marta.get("audit").status_code == 403
    assert marta.get("me").json()["me"]["role"] == "agent"


def test_who_is_put_out_is_out_at_the_next_request(desk: Desk) -> None:
    ada, luis = desk.signed_in("ada"), desk.signed_in("luis")
    assert luis.get("me").status_code == 200
    assert ada.patch("agents/Luis", {"is_active": False}).status_code == 200
    assert luis.get("me").status_code == 401
    assert desk.browser().sign_in("luis").status_code == 401
    assert ada.patch("agents/Luis", {"is_active": True}).status_code == 200
    assert luis.get("me").status_code == 401  # the session has ended for good


def test_a_session_of_somebody_who_is_not_active_opens_nothing(desk: Desk) -> None:
    """Also one that nobody has ended: the row alone says so."""
    luis = desk.signed_in("luis")
    with desk.session() as session:
        session.execute(update(Agent).where(Agent.name == "Luis").values(is_active=False))
    assert luis.get("me").status_code == 401


def test_an_ended_session_opens_nothing(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    token = luis.token
    assert luis.post("sign-out").status_code == 200
    assert not luis.token
    luis.token = token
    assert luis.get("me").status_code == 401


def test_an_expired_session_opens_nothing(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    desk.set_session(expires_at=datetime.now(timezone.utc) - timedelta(seconds=1))
    assert luis.get("me").status_code == 401


def test_a_token_that_was_changed_opens_nothing(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    token = luis.token
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[:-1], token + "A", "", "' OR 1=1 --", "é" * 43):
        other = desk.browser()
        assert other.get("me", headers=[("Cookie", f"tendero_desk={wrong}".encode())]).status_code == 401, wrong


def test_the_database_has_no_token(desk: Desk) -> None:
    luis = desk.signed_in("luis")
    file = desk.database.removeprefix("sqlite:///")
    content = b"".join(Path(name).read_bytes() for name in (file, f"{file}-wal"))
    assert b"luis" in content
    assert luis.token.encode() not in content


def test_one_cannot_end_anothers_session(desk: Desk) -> None:
    luis, marta = desk.signed_in("luis"), desk.signed_in("marta")
    theirs = marta.get("me/sessions").json()["sessions"]
    assert luis.delete(f"me/sessions/{theirs[0]['id']}").status_code == 404
    assert marta.get("me").status_code == 200


def test_the_cookie_is_kept_from_scripts_and_other_sites(desk: Desk) -> None:
    answer = desk.browser().sign_in("luis")
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/webhooks/desk"} <= parts
    assert "secure" not in parts


def test_behind_https_the_cookie_is_sent_by_https_only(serve: Callable[..., Desk]) -> None:
    desk = serve(proxies=1)
    browser = desk.browser(**{"Origin": "https://shop.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"})
    answer = browser.sign_in("luis")
    assert answer.status_code == 200
    assert "secure" in answer.headers["set-cookie"].lower()


def test_without_proxies_nobody_is_believed_about_https(desk: Desk) -> None:
    browser = desk.browser(**{"X-Forwarded-Proto": "https"})
    assert "secure" not in browser.sign_in("luis").headers["set-cookie"].lower()
    lied = desk.browser(**{"Origin": "https://evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"})
    assert lied.sign_in("luis").status_code == 403


def test_the_page_loads_nothing_from_elsewhere_and_is_in_no_frame(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "index.html").write_text("<!doctype html>")
    monkeypatch.setattr(pages, "WEB", tmp_path)
    answer = desk.browser().http.get(f"{desk.url}/desk")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_too_large_a_body_is_not_read(desk: Desk) -> None:
    answer = desk.browser().http.post("sign-in", content=b" " * 70_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"name": 1, "password": "x"}', b'{"name": "x"}', b"[" * 60_000])
def test_odd_bodies_are_bad_requests(desk: Desk, body: bytes) -> None:
    answer = desk.browser().http.post("sign-in", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_limits_that_there_are_not_are_refused_with_those_that_there_are(desk: Desk) -> None:
    ada = desk.signed_in("ada")
    new = {"name": "Nils", "sign_in_name": "nils", "role": "agent", "capacity": 4}
    for answer in (ada.post("agents", {**new, "queues": ["returns", "sold"]}), ada.patch("agents/Luis", {"queues": ["sold"]})):
        assert answer.status_code == 400
        assert answer.json() == {"error": "bad_request", "field": "queues", "known": ["returns", "orders", "general"]}
    assert ada.patch("agents/Luis", {"languages": ["fr"]}).json()["known"] == ["en", "es", "nb", "pt"]
    assert ada.patch("agents/Luis", {"queues": "returns"}).json() == {"error": "bad_request", "field": "queues"}
    assert ada.patch("agents/Luis", {"queues": [{}, None]}).status_code == 400


def test_who_manages_people_is_shown_limits_that_are_gone(desk: Desk) -> None:
    with desk.session() as session:
        accounts.by_name(session, "Luis").queues = ["sold"]
    found = {each["name"]: each["gone"] for each in desk.signed_in("ada").get("agents?all=1").json()}
    assert found["Luis"] == {"queues": ["sold"], "languages": []}
    assert desk.signed_in("luis").get("me").json()["me"]["queues"] == []  # all of them, until it is changed


def test_the_last_admin_stays(desk: Desk) -> None:
    ada = desk.signed_in("ada")
    for change in ({"role": "agent"}, {"is_active": False}):
        answer = ada.patch("agents/Ada", change)
        assert (answer.status_code, answer.json()) == (409, {"error": "last_admin"})
    assert ada.get("me").json()["me"]["role"] == "admin"
    with desk.session() as session:
        accounts.change(session, "Marta", datetime.now(timezone.utc), role="admin")
    assert ada.patch("agents/Ada", {"role": "agent"}).status_code == 200
