"""`tendero review --page`: who is let in, and what the routes do. The page itself is tested in tests/browser."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tendero.obstacles import Obstacle
from tendero.review.page import FILES, listen
from tendero.review.session import Review
from tendero.review.training import Outcome
from tests.tendero.review_page import TRAINED, Served, serving
from tests.tendero.talks import missed, small_project, talk


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "project")


@pytest.fixture
def page(shop: str, project: Path) -> Iterator[Served]:
    talk(shop, "web-1", missed("wheres me parcel 10388"), missed("sing me a song mate"))
    with serving(Review(project), lambda: TRAINED) as served:
        yield served


@pytest.fixture
def browser(page: Served) -> Iterator[httpx.Client]:
    """What the page sends once it was let in."""
    with httpx.Client(base_url=page.origin, headers={"Origin": page.origin}) as client:
        key = client.post("/session", json={"token": page.token}).json()["key"]
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


def test_port_is_on_this_machine_only(page: Served) -> None:
    assert page.origin.startswith("http://127.0.0.1:")


def test_nothing_is_told_without_a_key(page: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {page.token}"}):
        assert httpx.get(f"{page.origin}/api/rows", headers=headers).status_code == 401


def test_token_opens_once_and_another_window_gets_a_new_one(page: Served) -> None:
    token, headers = page.token, {"Origin": page.origin}
    first = httpx.post(f"{page.origin}/session", json={"token": token}, headers=headers)
    again = httpx.post(f"{page.origin}/session", json={"token": token}, headers=headers)
    assert (first.status_code, again.status_code) == (200, 401)
    assert page.told == [f"The page is open. For another window: {page.door.address}"]
    assert httpx.post(f"{page.origin}/session", json={"token": page.token}, headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:5005", "http://evil.example", "null", None])
def test_another_page_cannot_post_even_with_the_key(origin: str | None, browser: httpx.Client, project: Path) -> None:
    row = browser.get("/api/rows").json()["rows"][0]
    headers = {name: value for name, value in browser.headers.items() if name != "origin"} | (
        {"origin": origin} if origin else {}
    )
    answer = httpx.post(f"{browser.base_url}/api/skip", json={"id": row["id"]}, headers=headers)
    assert answer.status_code == 403
    assert browser.get("/api/rows").json()["left"] == 2


def test_another_name_of_this_machine_is_not_answered(browser: httpx.Client) -> None:
    assert browser.get("/api/rows", headers={"Host": "evil.example"}).status_code == 403
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_every_answer_forbids_scripts_that_are_not_files_of_ours(browser: httpx.Client) -> None:
    for path in ("/", "/review.js", "/api/rows", "/nothing.js"):
        policy = browser.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = (FILES / "index.html").read_text()
    assert re.findall(r"<script[^>]*>([^<]*)", page) == [""]
    assert not re.search(r"\son\w+=|style=|javascript:", page)


@pytest.mark.parametrize("path", ["/../page.py", "/%2e%2e/page.py", "/page.py", "/..%2fpage.py"])
def test_only_the_pages_own_files_are_served(path: str, browser: httpx.Client) -> None:
    assert browser.get(path).status_code == 404


def test_message_is_assigned_skipped_and_undone(browser: httpx.Client, project: Path) -> None:
    file = project / "data/nlu/en/orders.yml"
    before = file.read_bytes()
    rows = browser.get("/api/rows").json()["rows"]
    parcel = next(row["id"] for row in rows if "parcel" in row["text"])
    wanted = {"id": parcel, "place": "track_order", "text": "wheres me stuff", "language": "en"}
    state = browser.post("/api/assign", json=wanted).json()
    assert state["told"] == "Written to data/nlu/en/orders.yml: wheres me stuff"
    assert (state["left"], state["assigned"], state["can_undo"]) == (1, 1, True)
    assert b"- wheres me stuff\n" in file.read_bytes()
    assert browser.post("/api/skip", json={"id": state["rows"][0]["id"]}).json()["left"] == 0
    browser.post("/api/undo", json={})
    assert browser.post("/api/undo", json={}).json()["left"] == 2
    assert file.read_bytes() == before


def test_what_cannot_be_done_is_said_in_words(browser: httpx.Client) -> None:
    row = browser.get("/api/rows").json()["rows"][0]
    answer = browser.post("/api/assign", json={"id": row["id"], "place": "trak_ordr"})
    assert (answer.status_code, "Is track_order" in answer.json()["error"]) == (409, True)
    assert browser.post("/api/assign", json={"id": 7}).status_code == 409
    assert browser.post("/api/undo", json=[]).status_code == 409


def test_suggestions_come_by_message(browser: httpx.Client) -> None:
    row = browser.get("/api/rows").json()["rows"][0]
    assert "suggestions" not in row  # each takes its time
    suggested = browser.get("/api/suggestions", params={"id": row["id"]}).json()["suggestions"]
    assert suggested[0]["place"] == "track_order"
    assert browser.get("/api/suggestions", params={"id": "nothing"}).status_code == 409


def test_result_of_a_training_is_told_and_nothing_is_written_meanwhile(shop: str, project: Path) -> None:
    talk(shop, "web-1", missed("wheres me parcel innit"))
    begun, may_end = threading.Event(), threading.Event()

    def train() -> Outcome:
        begun.set()
        may_end.wait(20)
        return TRAINED

    with (
        serving(Review(project), train) as served,
        httpx.Client(base_url=served.origin, headers={"Origin": served.origin}) as client,
    ):
        client.headers["Authorization"] = f"Bearer {client.post('/session', json={'token': served.token}).json()['key']}"
        row = client.get("/api/rows").json()["rows"][0]
        answers: list[Any] = []
        training = threading.Thread(target=lambda: answers.append(client.post("/api/train", json={}, timeout=30).json()))
        training.start()
        assert begun.wait(10)
        refused = httpx.post(
            f"{served.origin}/api/assign", json={"id": row["id"], "place": "track_order"}, headers=dict(client.headers)
        )
        may_end.set()
        training.join(20)
    assert (refused.status_code, "under way" in refused.json()["error"]) == (409, True)
    assert (answers[0]["told"], answers[0]["problems"]) == (TRAINED.told, TRAINED.problems)


def test_port_that_is_taken_is_told_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Obstacle, match="Leave --port out"):
            listen(taken.getsockname()[1])
