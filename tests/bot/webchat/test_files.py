"""Files: what is taken in, whose it is, and how it is shown."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.channels.webchat import files, visitors
from bot.channels.webchat.file_names import disposition, harmless
from bot.channels.webchat.files import FileRefused, UnknownFile, address, attach, command_for, opened, store
from messaging import file_references
from messaging.models import ReceivedFile
from messaging.received_files import path_of
from tests.bot.webchat.server import Served

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ANA, BOB = "web-ana", "web-bob"
PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xff\xff?\0\x05\xfe\x02\xfe\xa75\x81\x84\0\0\0\0IEND\xaeB`\x82"
)
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\0" * 40 + b"\xff\xd9"
WEBP = b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 40
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
MEGABYTE = 1024 * 1024


def refused(session: Session, body: bytes, home: Path, now: datetime, name: str = "a.png") -> str:
    with pytest.raises(FileRefused) as error:
        store(session, ANA, body, name, home, now)
    assert not (home / "received").exists()
    return error.value.why


# What it is


@pytest.mark.parametrize(
    ("body", "name", "type", "kept_as"),
    [
        (PNG, "photo.png", "image/png", "photo.png"),
        (PNG, "photo.jpg", "image/png", "photo.png"),
        (PNG, "page.html", "image/png", "page.png"),
        (PNG, "photo", "image/png", "photo.png"),
        (JPEG, "photo.JPEG", "image/jpeg", "photo.JPEG"),
        (JPEG, "invoice.pdf", "image/jpeg", "invoice.jpg"),
        (WEBP, "photo.webp", "image/webp", "photo.webp"),
        (PDF, "invoice.pdf", "application/pdf", "invoice.pdf"),
        (PDF, "invoice.pdf.exe", "application/pdf", "invoice.pdf.pdf"),
    ],
)
def test_file_is_what_its_bytes_say(
    session: Session, tmp_path: Path, now: datetime, body: bytes, name: str, type: str, kept_as: str
) -> None:
    file = store(session, ANA, body, name, tmp_path, now)
    assert (file.type, file.name, file.size) == (type, kept_as, len(body))
    row = session.execute(select(ReceivedFile)).scalar_one()
    assert (row.channel, row.sender_id, row.state, row.mime_type) == ("webchat", ANA, "stored", type)
    assert path_of(tmp_path, row.sha256).read_bytes() == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"just words",
        b"<!doctype html><script>alert(1)</script>",
        b"<html>" + PNG,
        b"<html><script>alert(1)</script>" + PNG[-12:],  # it ends as a PNG does
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"MZ\x90\0" + b"\0" * 100,
        b"MZ\x90\0" + b"\0" * 100 + b"\xff\xd9",
        b"\x7fELF" + b"\0" * 100,
        b"#!/bin/sh\nrm -rf /\n",
        b"PK\3\4" + b"\0" * 100,
        b"GIF89a" + b"\0" * 40,
        b"BM" + b"\0" * 40,
        b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40,
        b"\0" * 100 + PNG[-12:],
        b" " + PNG,
        b"\r\n" + PDF,
    ],
)
def test_what_may_not_be_sent_is_refused_whatever_its_name(session: Session, tmp_path: Path, now: datetime, body: bytes) -> None:
    for name in ("a.png", "a.jpg", "a.pdf"):
        assert refused(session, body, tmp_path, now, name) == "wrong_type"


def test_size_is_limited_by_kind(session: Session, tmp_path: Path, now: datetime) -> None:
    assert refused(session, PNG + b"\0" * (5 * MEGABYTE), tmp_path, now) == "too_large"
    assert refused(session, PDF + b"\0" * (10 * MEGABYTE), tmp_path, now) == "too_large"
    at_most = PDF.ljust(10 * MEGABYTE, b"\0")
    assert store(session, ANA, at_most, "a.pdf", tmp_path, now).size == 10 * MEGABYTE


class Chunks:
    """A body of which it is known how much was read."""

    def __init__(self, *chunks: bytes, endless: bytes = b"") -> None:
        self.chunks, self.endless, self.given = list(chunks), endless, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := self.chunks.pop(0) if self.chunks else self.endless:
            self.given += len(chunk)
            yield chunk


async def test_body_is_read_whole() -> None:
    assert await files.read(Chunks(PNG[:3], PNG[3:]), len(PNG)) == PNG
    large = PDF.ljust(10 * MEGABYTE, b"\0")
    assert await files.read(Chunks(large[:8192], large[8192:])) == large


@pytest.mark.parametrize(("begins", "most"), [(PNG, 5), (PDF, 10), (b"?", 5)])
async def test_body_is_not_read_further_than_a_file_of_its_kind_may_be_long(begins: bytes, most: int) -> None:
    body = Chunks(begins, endless=b"\0" * 65536)
    with pytest.raises(FileRefused, match="too_large"):
        await files.read(body)
    assert body.given <= most * MEGABYTE + 2 * 65536


async def test_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    body = Chunks(endless=b"\0")
    with pytest.raises(FileRefused, match="too_large"):
        await files.read(body, 10 * MEGABYTE + 1)
    assert body.given == 0


# Whose it is


def test_said_file_belongs_to_its_message(session: Session, tmp_path: Path, now: datetime) -> None:
    picture, paper = (store(session, ANA, body, "a", tmp_path, now) for body in (PNG, PDF))
    told = attach(session, ANA, [picture.id, paper.id], "m-1", now + MINUTE)
    assert told == [
        {"provider_id": picture.id, "kind": "image", "mime_type": "image/png", "file_name": "a.png", "size": len(PNG)},
        {"provider_id": paper.id, "kind": "document", "mime_type": "application/pdf", "file_name": "a.pdf", "size": len(PDF)},
    ]
    assert (command_for(told), command_for(told[1:]), command_for([])) == ("/share_picture", "/share_document", "")
    assert {row.received_at for row in session.execute(select(ReceivedFile)).scalars()} == {now + MINUTE}


def test_same_message_again_has_the_same_files_and_another_has_none(session: Session, tmp_path: Path, now: datetime) -> None:
    file = store(session, ANA, PNG, "a", tmp_path, now)
    told = attach(session, ANA, [file.id, file.id], "m-1", now)
    assert len(told) == 1
    assert attach(session, ANA, [file.id], "m-1", now + DAY) == told
    with pytest.raises(UnknownFile):
        attach(session, ANA, [file.id], "m-2", now)


def test_file_of_another_visitor_cannot_be_said(session: Session, tmp_path: Path, now: datetime) -> None:
    file = store(session, ANA, PNG, "a", tmp_path, now)
    for id in (file.id, "", "x", file.id + "x", "%"):
        with pytest.raises(UnknownFile):
            attach(session, BOB, [id], "m-1", now)
    assert len(attach(session, ANA, [file.id], "m-1", now)) == 1


def test_same_picture_of_two_visitors_is_two_files(session: Session, tmp_path: Path, now: datetime) -> None:
    anas, bobs = (store(session, whose, PNG, "a", tmp_path, now) for whose in (ANA, BOB))
    assert anas.id != bobs.id
    with pytest.raises(UnknownFile):
        attach(session, ANA, [bobs.id], "m-1", now)


def test_nobody_sees_a_file_before_it_was_said(session: Session, tmp_path: Path, now: datetime) -> None:
    file = store(session, ANA, PNG, "a", tmp_path, now)
    assert file_references.since(session, ANA, now - DAY, file_references.PICTURES, 9) == []
    attach(session, ANA, [file.id], "m-1", now)
    assert len(file_references.since(session, ANA, now - DAY, file_references.PICTURES, 9)) == 1


def test_few_files_may_wait_to_be_said(session: Session, tmp_path: Path, now: datetime) -> None:
    kept = [store(session, ANA, PNG, "a", tmp_path, now) for _ in range(10)]
    with pytest.raises(FileRefused, match="too_many"):
        store(session, ANA, PNG, "a", tmp_path, now)
    store(session, BOB, PNG, "a", tmp_path, now)
    attach(session, ANA, [kept[0].id], "m-1", now)
    store(session, ANA, PNG, "a", tmp_path, now)


# Names


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("..\\..\\boot.ini", "boot.png"),
        ("/etc/cron.d/x.png", "x.png"),
        ("..", "file.png"),
        (".htaccess", "htaccess.png"),
        ("", "file.png"),
        ("   ", "file.png"),
        ("a\0b.png", "ab.png"),
        ("a\r\nSet-Cookie: x=y.png", "aSet-Cookie_ x=y.png"),
        ("photo\u202egnp.exe", "photognp.png"),
        ("\u2066a\u2069\u200f\u200b\ufeff.png", "a.png"),
        ('"><script>.png', "___script_.png"),
        ("con.png", "_con.png"),
        ("LPT1", "_LPT1.png"),
        ("a" * 500 + ".png", "a" * 80 + ".png"),
        ("Foto de mi niño.png", "Foto de mi niño.png"),
        ("Foto de mi nin\u0303o.png", "Foto de mi niño.png"),
        ("\ud800.png", "png.png"),
        ("照片.png", "照片.png"),
    ],
)
def test_names_are_made_harmless(name: str, kept_as: str) -> None:
    assert harmless(name, "image/png") == kept_as


def test_header_has_the_name_in_ascii_and_as_it_is() -> None:
    assert disposition('ni"ño.png', True) == "inline; filename=\"ni__o.png\"; filename*=UTF-8''ni%22%C3%B1o.png"
    assert disposition("a\r\nb.pdf", False) == "attachment; filename=\"a__b.pdf\"; filename*=UTF-8''a%0D%0Ab.pdf"


# Addresses


def parts(url: str) -> tuple[str, str]:
    signed, _, name = url.removeprefix("/webhooks/webchat/v1/files/").partition("/")
    return signed, name


def test_address_holds_for_a_day_at_least_and_not_for_two(now: datetime) -> None:
    for hours in range(24):
        given_at = now + hours * 60 * MINUTE
        signed, name = parts(address("labels/RMA-1.pdf", given_at))
        assert name == "labels/RMA-1.pdf"
        assert opened(signed, name, given_at + DAY - MINUTE)
        assert not opened(signed, name, given_at + 2 * DAY)


def test_address_stays_the_same_for_a_while(now: datetime) -> None:
    assert len({address("labels/RMA-1.pdf", now + minutes * MINUTE) for minutes in range(60)}) <= 2


def test_address_that_we_did_not_give_out_opens_nothing(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    signed, name = parts(address("labels/RMA-1.pdf", now))
    until, _, signature = signed.partition(".")
    later = f"{int(until, 16) + 86400:x}"
    for forged in (
        "",
        ".",
        until,
        f".{signature}",
        f"{later}.{signature}",
        f"{until}.{'0' * 40}",
        f"x.{signature}",
        f"{until}.é",
    ):
        assert not opened(forged, name, now), forged
    assert not opened(signed, "labels/RMA-2.pdf", now)
    monkeypatch.setenv("TENDERO_SECRET", "the secret of another installation")
    assert not opened(signed, name, now)


def test_addresses_of_the_page_and_of_elsewhere_stay(now: datetime) -> None:
    assert address("/static/demo/sun.jpg", now) == "/webhooks/webchat/static/demo/sun.jpg"
    assert address("https://cdn.example/sun.jpg", now) == "https://cdn.example/sun.jpg"


# Over HTTP

ORIGIN = "http://shop.example"


@pytest.fixture
def shop(serve: Callable[..., Served]) -> Served:
    return serve(origins=[ORIGIN])


def token_of(shop: Served, origin: str = ORIGIN) -> str:
    with shop.session() as session:
        return visitors.begin(session, origin, "es", datetime.now(timezone.utc)).token_to_keep


def upload(shop: Served, token: str, body: Any = PNG, name: str = "a.png", **headers: str) -> httpx.Response:
    usual = {"Origin": ORIGIN, "Authorization": f"Bearer {token}", "X-File-Name": quote(name), "Content-Type": "image/png"}
    return httpx.post(f"{shop.url}/webhooks/webchat/v1/files", content=body, headers={**usual, **headers}, timeout=30)


def show(shop: Served, path_or_id: str) -> httpx.Response:
    return httpx.get(shop.url + address(path_or_id, datetime.now(timezone.utc)))


def test_uploaded_picture_is_shown_by_its_signed_address(shop: Served) -> None:
    answer = upload(shop, token_of(shop), name="mi niña.jpg")
    assert answer.status_code == 201
    told = answer.json()
    assert {**told, "id": "?"} == {"id": "?", "name": "mi niña.png", "type": "image/png", "size": len(PNG)}
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Cache-Control"]) == (ORIGIN, "no-store")
    shown = show(shop, told["id"])
    assert (shown.status_code, shown.content, shown.headers["Content-Type"]) == (200, PNG, "image/png")
    assert shown.headers["Content-Disposition"] == "inline; filename=\"mi ni_a.png\"; filename*=UTF-8''mi%20ni%C3%B1a.png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Cache-Control"].startswith("private, ")
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_document_is_downloaded_and_not_opened_in_our_origin(shop: Served) -> None:
    told = upload(shop, token_of(shop), PDF, "invoice.pdf").json()
    shown = show(shop, told["id"])
    assert (shown.headers["Content-Type"], shown.headers["Content-Disposition"].partition(";")[0]) == (
        "application/pdf",
        "attachment",
    )


def test_file_of_ours_is_shown_and_nothing_that_is_none_of_the_shoppers_business(shop: Served, tmp_path: Path) -> None:
    kept = {"labels/RMA-1.pdf": PDF, "secret": b"s" * 64, "tendero.db": b"x", "outbox/1.eml": b"x", "logs/mail.log": b"x"}
    for path, content in {**kept, "labels/größe 1.pdf": PDF}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    for path in ("labels/RMA-1.pdf", "labels/größe 1.pdf"):
        shown = show(shop, path)
        assert (shown.status_code, shown.content) == (200, PDF)
        assert shown.headers["Content-Disposition"].startswith("attachment; ")
    outside = tmp_path.parent / "outside.pdf"
    outside.write_bytes(PDF)
    for path in (
        "secret",
        "tendero.db",
        "outbox/1.eml",
        "logs/mail.log",
        "labels/RMA-2.pdf",
        "labels/",
        "../outside.pdf",
        str(outside),
    ):
        assert show(shop, path).status_code == 404, path


def test_signature_of_one_file_opens_no_other(shop: Served, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"RMA-{number}.pdf").write_bytes(PDF)
    url = shop.url + address("RMA-1.pdf", datetime.now(timezone.utc))
    assert httpx.get(url).status_code == 200
    assert httpx.get(url.replace("RMA-1", "RMA-2")).status_code == 404
    assert httpx.get(f"{shop.url}/webhooks/webchat/v1/files/RMA-1.pdf").status_code == 404
    assert httpx.get(shop.url + address("RMA-1.pdf", datetime.now(timezone.utc) - 3 * DAY)).status_code == 404


def test_file_of_a_visitor_who_was_revoked_is_shown_no_more(shop: Served) -> None:
    token = token_of(shop)
    told = upload(shop, token).json()
    assert show(shop, told["id"]).status_code == 200
    with shop.session() as session:
        now = datetime.now(timezone.utc)
        visitors.revoke(session, visitors.known(session, token, ORIGIN, now) or "", now)
    assert show(shop, told["id"]).status_code == 404


def test_upload_without_a_token_that_holds_here_says_only_that(shop: Served) -> None:
    elsewhere = token_of(shop, "http://other.example")
    for token in ("x", "x.1.y", elsewhere, token_of(shop) + "x"):
        answer = upload(shop, token)
        assert (answer.status_code, answer.json()) == (401, {"error": "unknown_visitor"})
    answer = upload(shop, "?", **{"Authorization": f"Basic {token_of(shop)}"})
    assert answer.status_code == 401
    assert upload(shop, token_of(shop), **{"Origin": "http://other.example"}).status_code == 403


def test_upload_that_is_refused_says_why(shop: Served) -> None:
    token = token_of(shop)
    for body, status, why in (
        (b"<html>", 415, "wrong_type"),
        (b"", 415, "wrong_type"),
        (PNG + b"\0" * (5 * MEGABYTE), 413, "too_large"),
        (PDF + b"\0" * (10 * MEGABYTE), 413, "too_large"),
    ):
        answer = upload(shop, token, body)
        assert (answer.status_code, answer.json()) == (status, {"error": why})
    with shop.session() as session:
        assert session.execute(select(ReceivedFile)).all() == []


@pytest.mark.parametrize("length", ["Content-Length: 50000000", "Transfer-Encoding: chunked"])
def test_upload_that_is_too_large_is_refused_while_it_comes_in(shop: Served, length: str) -> None:
    is_chunked = "chunked" in length
    block = PNG.ljust(65536, b"\0")
    with socket.create_connection(("127.0.0.1", shop.thread.port), timeout=20) as connection:
        head = f"POST /webhooks/webchat/v1/files HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\n{length}\r\n"
        connection.sendall(f"{head}Authorization: Bearer {token_of(shop)}\r\n\r\n".encode())
        for _ in range(90 if is_chunked else 1):  # 5.6 MB, and no end of it
            connection.sendall(b"%x\r\n%s\r\n" % (len(block), block) if is_chunked else block)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_visitor_may_upload_so_many_files_and_is_told_when_to_come_back(shop: Served) -> None:
    token = token_of(shop)
    statuses = [upload(shop, token, b"no picture").status_code for _ in range(11)]
    assert statuses == [415] * 10 + [429]
    answer = upload(shop, token)
    assert (answer.json(), answer.headers["Access-Control-Expose-Headers"]) == ({"error": "too_many"}, "Retry-After")
    assert 0 < int(answer.headers["Retry-After"]) <= 120
    assert upload(shop, token_of(shop)).status_code == 201


def test_address_may_upload_so_many_files_whoever_it_says_it_is(shop: Served) -> None:
    tokens = [token_of(shop) for _ in range(6)]
    statuses = []
    for number in range(48):
        spoofed = {"X-Forwarded-For": f"6.6.6.{number}"}
        statuses.append(upload(shop, tokens[number % 6], b"no picture", **spoofed).status_code)
    assert statuses == [415] * 40 + [429] * 8
