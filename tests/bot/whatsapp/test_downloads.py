"""Files that shoppers send: both hops, what they may be, and what becomes of a hop that fails."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from bot.channels.whatsapp.downloads import Downloads
from bot.channels.whatsapp.graph import Graph
from bot.channels.whatsapp.settings import WhatsAppSettings
from database import transaction
from messaging import received_files
from messaging.models import ReceivedFile
from tests.databases import sqlite_with_tables
from tests.turns.waiting import it_is_so

SETTINGS = WhatsAppSettings(verify_token="v", app_secret="s", access_token="token-of-a-test", phone_number_id="1001")
NOW = datetime.now(timezone.utc)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"a shirt with a hole" * 10
PDF = b"%PDF-1.7 an invoice"
PROGRAM = b"MZ\x90\x00" + b"\x00" * 80


class MediaAtMeta:
    """Two hops: a file's id gives an address, the address gives bytes; both want the token."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.says: dict[str, Any] = {}
        self.fails: list[httpx.Response | Exception] = []
        self.asked: list[str] = []
        self.graph = Graph(SETTINGS, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer token-of-a-test"
        self.asked.append(f"{request.url.host}{request.url.path}")
        if self.fails:
            failure = self.fails.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        name = request.url.path.rpartition("/")[2]
        if request.url.host == "files.example":
            return httpx.Response(200, content=self.files[name])
        size = len(self.files[name])
        return httpx.Response(200, json={"url": f"https://files.example/{name}", "file_size": size, **self.says})


@pytest.fixture
def meta() -> MediaAtMeta:
    return MediaAtMeta()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    sqlite_with_tables(tmp_path / "tendero.db")
    return tmp_path


def arrives(meta: MediaAtMeta, name: str, content: bytes, kind: str = "image", **more: Any) -> None:
    meta.files[name] = content
    with transaction() as session:
        about = {"channel": "whatsapp", "sender_id": "wa-1", "message_id": f"m-{name}", "received_at": NOW}
        session.add(ReceivedFile(provider_id=name, kind=kind, **about, **more))


def rows() -> list[Any]:
    with transaction() as session:
        return list(session.execute(select(ReceivedFile).order_by(ReceivedFile.id)).scalars())


async def fetched(meta: MediaAtMeta) -> list[Any]:
    downloads = Downloads(lambda: meta.graph)
    while await downloads.fetch_one():
        pass
    return rows()


async def test_picture_is_kept_for_its_owner_only(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG, promised_hash=hashlib.sha256(JPEG).hexdigest())
    (row,) = await fetched(meta)
    assert (row.state, row.sha256, row.mime_type, row.size) == (
        "stored",
        hashlib.sha256(JPEG).hexdigest(),
        "image/jpeg",
        len(JPEG),
    )
    file = received_files.path_of(home, row.sha256)
    assert file.read_bytes() == JPEG
    assert file.stat().st_mode & 0o077 == 0
    assert list(file.parent.iterdir()) == [file]
    assert meta.asked == ["graph.facebook.com/v26.0/A", "files.example/A"]


async def test_the_same_file_twice_is_stored_once(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG)
    arrives(meta, "B", JPEG)
    first, second = await fetched(meta)
    assert (first.sha256, second.state) == (second.sha256, "stored")
    assert len([path for path in (home / "received").rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("kind", "content", "state"),
    [
        ("image", PDF, "failed"),
        ("image", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "failed"),
        ("document", PDF, "stored"),
        ("document", PROGRAM, "failed"),
        ("document", b"<html><script>alert(1)</script></html>", "failed"),
        ("document", "una nota en español".encode(), "stored"),
        ("voice", b"OggS\x00\x02" + b"\x00" * 22 + b"OpusHead" + b"\x00" * 30, "stored"),
        ("image", PROGRAM, "failed"),
        ("unheard-of", JPEG, "failed"),
    ],
)
async def test_bytes_decide_whether_it_is_what_it_says(
    home: Path, meta: MediaAtMeta, kind: str, content: bytes, state: str
) -> None:
    arrives(meta, "A", content, kind)
    (row,) = await fetched(meta)
    assert row.state == state
    assert bool(row.error) == (state == "failed")


async def test_file_with_another_hash_than_was_said_is_not_kept(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG, promised_hash="0" * 64)
    (row,) = await fetched(meta)
    assert (row.state, row.error) == ("failed", "its hash is another one than was said")
    assert not (home / "received").exists()


@pytest.mark.parametrize("says", [{}, {"file_size": 10}])
async def test_file_that_is_too_large_is_not_kept_whatever_is_said_of_it(
    home: Path, meta: MediaAtMeta, says: dict[str, Any]
) -> None:
    meta.says = says
    arrives(meta, "A", JPEG + b"0" * (5 * 1024 * 1024))
    (row,) = await fetched(meta)
    assert row.state == "failed"
    assert "bytes" in row.error
    assert not (home / "received").exists()


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(404, json={"error": {"code": 100, "error_subcode": 33, "message": "Unsupported get request"}}),
        httpx.Response(500),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("no route"),
    ],
)
async def test_hop_that_fails_is_tried_again_from_the_first_hop(home: Path, meta: MediaAtMeta, failure: Any) -> None:
    arrives(meta, "A", JPEG)
    meta.fails = [failure]
    (row,) = await fetched(meta)
    assert (row.state, row.tries) == ("waiting", 1)
    assert row.next_try_at > datetime.now(timezone.utc)
    await when_it_is_due()
    assert [row.state for row in await fetched(meta)] == ["stored"]


async def when_it_is_due() -> None:
    with transaction() as session:
        session.execute(update(ReceivedFile).values(next_try_at=None))


async def test_expired_address_is_asked_for_anew(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG)
    meta.fails = [httpx.Response(200, json={"url": "https://files.example/A", "file_size": 5}), httpx.Response(404)]
    (row,) = await fetched(meta)
    assert row.state == "waiting"
    await when_it_is_due()
    await fetched(meta)
    assert meta.asked[2:] == ["graph.facebook.com/v26.0/A", "files.example/A"]


async def test_file_is_given_up_after_many_tries(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG)
    for _ in range(len(received_files.PAUSES) + 1):
        meta.fails = [httpx.Response(500)]
        await when_it_is_due()
        (row,) = await fetched(meta)
    assert row.state == "failed"


def test_download_of_a_dead_process_is_taken_over_after_its_lease(home: Path, meta: MediaAtMeta) -> None:
    arrives(meta, "A", JPEG)

    def taken(at: datetime) -> Any:
        with transaction() as session:
            return received_files.next_due(session, "whatsapp", at)

    first = taken(NOW)
    assert taken(NOW + timedelta(minutes=1)) is None
    second = taken(NOW + received_files.LEASE)
    assert (first.id, second.tries) == (second.id, 2)
    with transaction() as session:
        received_files.note_failure(session, first, "the older one has no say any more", NOW, for_good=True)
    assert rows()[0].state == "waiting"


async def test_new_file_is_fetched_when_it_is_said_that_there_is_one(home: Path, meta: MediaAtMeta) -> None:
    downloads = Downloads(lambda: meta.graph, look_every=3600)
    downloads.start()
    try:
        await asyncio.sleep(0.1)
        arrives(meta, "A", JPEG)
        downloads.wake()
        await it_is_so(lambda: rows()[0].state == "stored")
    finally:
        await downloads.stop()
