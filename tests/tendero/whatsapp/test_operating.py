"""What an operator asks of WhatsApp: each thing that is missing is said in words, with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import zxingcpp
from click.testing import CliRunner
from PIL import Image

from bot.channels.whatsapp.graph import Graph
from bot.channels.whatsapp.settings import WhatsAppSettings
from bot.channels.whatsapp.templates import Template, Templates
from tendero.commands.whatsapp import whatsapp
from tendero.whatsapp.approved import approved, compared, to_create
from tendero.whatsapp.checks import Finding, findings
from tendero.whatsapp.links import link, write_code

WHOLE = WhatsAppSettings("word", "secret", "token-of-a-test", "1001", "2002")


def graph_that_says(answers: dict[str, Any]) -> Graph:
    """answers: end of a path -> JSON, or (HTTP status, JSON)."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = next(value for end, value in answers.items() if request.url.path.endswith(end))
        status, content = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, json=content)

    return Graph(WHOLE, httpx.MockTransport(answer))


async def found(settings: WhatsAppSettings, answers: dict[str, Any]) -> list[Finding]:
    return [finding async for finding in findings(settings, None, graph_that_says(answers))]


GOOD = {"/1001": {"display_phone_number": "+52 55 1234 5678", "verified_name": "Aurora"}, "/subscribed_apps": {"data": [{}]}}


async def test_whole_set_up_has_nothing_missing() -> None:
    seen = await found(WHOLE, GOOD)
    assert [finding for finding in seen if finding.is_good is False] == []
    assert Finding(True, "the token works, and the number is +52 55 1234 5678 (Aurora)") in seen


async def test_each_thing_that_is_missing_says_where_it_is_found() -> None:
    missing = [finding.words for finding in await found(WhatsAppSettings(), {}) if finding.is_good is False]
    assert len(missing) == 4
    assert missing[1].startswith("app_secret is missing: set WHATSAPP_APP_SECRET (developers.facebook.com")


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, {"code": 190, "message": "Session has expired"}, "the access token is not valid, or has expired"),
        (400, {"code": 100, "error_subcode": 33, "message": "Unsupported"}, "the token knows no number 1001"),
        (403, {"code": 10, "message": "Permission denied"}, "the account or the token may not do this"),
        (500, {"code": 131000, "message": "Something went wrong"}, "Meta refuses: 131000"),
    ],
)
async def test_what_meta_refuses_is_said_in_words(status: int, error: dict[str, Any], says: str) -> None:
    seen = await found(WHOLE, {"/1001": (status, {"error": error})})
    assert next(finding.words for finding in seen if finding.is_good is False).startswith(says)
    assert "token-of-a-test" not in str(seen)


async def test_account_without_an_app_is_told() -> None:
    seen = await found(WHOLE, {**GOOD, "/subscribed_apps": {"data": []}})
    assert next(finding.words for finding in seen if finding.is_good is False).startswith("no app is subscribed")


# Templates


OURS = Templates(
    {"utter_shipped": {"es": Template("shipped", "es_MX", ("order_number",), "Tu pedido {{1}} ya salió.")}},
    {"en": Template("news", "en_US", (), "We have an answer for you.")},
)


def at_meta(name: str, language: str, text: str, status: str = "APPROVED") -> dict[str, Any]:
    return {"name": name, "language": language, "status": status, "components": [{"type": "BODY", "text": text}]}


@pytest.mark.parametrize(
    ("theirs", "problem"),
    [
        (at_meta("shipped", "es_MX", "Tu pedido {{1}} ya salió."), ""),
        (at_meta("shipped", "es_MX", "Tu pedido {{order_number}} ya salió."), "says something else at Meta"),
        (at_meta("shipped", "es_MX", "Ya salió."), "has 0 variables at Meta, and 1 names in body"),
        (at_meta("shipped", "es_MX", "Tu pedido {{1}} ya salió.", "PAUSED"), "shipped (es_MX) is paused at Meta"),
        (at_meta("shipped", "es_ES", "Tu pedido {{1}} ya salió."), "Meta has no shipped in es_MX; there is one in es_ES"),
        (at_meta("other", "es_MX", ""), "Meta has no shipped in es_MX"),
    ],
)
def test_template_is_compared_with_what_is_approved(theirs: dict[str, Any], problem: str) -> None:
    first = next(iter(compared(OURS, [theirs])))
    assert first.problem.endswith(problem) if problem == "" else problem in first.problem
    assert (first.problem == "") == (problem == "")


async def test_all_pages_of_templates_are_read() -> None:
    pages = {
        "": {"data": [{"name": "a"}], "paging": {"cursors": {"after": "x"}, "next": "https://…"}},
        "x": {"data": [{"name": "b"}], "paging": {"cursors": {"after": "y"}}},
    }
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=pages[request.url.params.get("after", "")]))
    assert [each["name"] for each in await approved(WHOLE, Graph(WHOLE, transport))] == ["a", "b"]


def test_what_to_create_has_an_example_for_each_variable() -> None:
    (component,) = to_create(OURS.all[0])["components"]
    assert component == {"type": "BODY", "text": "Tu pedido {{1}} ya salió.", "example": {"body_text": [["order_number"]]}}


# The link


@pytest.mark.parametrize(
    ("number", "text", "expected"),
    [
        ("+52 1 55 1234 5678", "", "https://wa.me/525512345678"),
        (
            "+47 401 23 456",
            "Hei! Hvor er pakken? 📦",
            "https://wa.me/4740123456?text=Hei%21%20Hvor%20er%20pakken%3F%20%F0%9F%93%A6",
        ),
    ],
)
def test_link_opens_the_chat_with_its_first_text(number: str, text: str, expected: str) -> None:
    assert link(number, text) == expected


@pytest.mark.parametrize(("number", "text"), [("12", ""), ("Aurora", ""), ("+52 55 1234 5678", "a" * 1001)])
def test_link_that_cannot_be_is_refused(number: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"number|characters"):
        link(number, text)


def test_code_can_be_read_by_a_camera(tmp_path: Path) -> None:
    address = link("+52 55 1234 5678", "¿Dónde está mi pedido?")
    write_code(address, tmp_path / "code.png")
    (read,) = zxingcpp.read_barcodes(Image.open(tmp_path / "code.png"))
    assert read.text == address
    write_code(address, tmp_path / "code.svg")
    assert (tmp_path / "code.svg").read_text().startswith("<?xml")
    with pytest.raises(ValueError, match=r"\.png or \.svg"):
        write_code(address, tmp_path / "code.gif")


def test_commands_say_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_TOKEN", "PHONE_NUMBER_ID", "BUSINESS_ACCOUNT_ID", "APP_SECRET", "VERIFY_TOKEN"):
        monkeypatch.delenv(f"WHATSAPP_{name}", raising=False)
    run = CliRunner().invoke
    assert "needs WHATSAPP_ACCESS_TOKEN" in run(whatsapp, ["templates"]).output
    assert "needs --number" in run(whatsapp, ["link"]).output
    checked = run(whatsapp, ["check"])
    assert checked.exit_code == 1
    assert checked.output.count("MISSING") == 4
    assert (
        run(whatsapp, ["link", "--number", "+52 55 1234 5678", "--text", "hola"]).output
        == "https://wa.me/525512345678?text=hola\n"
    )


def test_what_waits_is_listed_without_words_or_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import datetime, timezone

    from database import Base, engine_for, transaction
    from messaging.turns import outbox

    monkeypatch.setenv("TENDERO_HOME", str(tmp_path))
    monkeypatch.delenv("TENDERO_DATABASE_URL", raising=False)
    Base.metadata.create_all(engine_for(f"sqlite:///{tmp_path / 'tendero.db'}"))
    assert CliRunner().invoke(whatsapp, ["unsent"]).output == "Every reply was taken by WhatsApp.\n"
    now = datetime.now(timezone.utc)
    contents = [{"text": "Tu pedido 10234", "utter_action": "utter_progress_late"}]
    about = {"turn_id": 1, "channel": "whatsapp", "sender_id": "wa-1", "trace_id": "0" * 32}
    with transaction() as session:
        outbox.put(session, contents=contents, now=now, state="held", **about)
    (row,) = json.loads(CliRunner().invoke(whatsapp, ["unsent", "--json"]).output)
    assert (row["state"], row["answer"]) == ("held", "utter_progress_late")
    assert "10234" not in str(row)
