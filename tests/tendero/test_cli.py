"""The command line: help for strangers, words instead of tracebacks."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commerce.models import Customer
from database import transaction
from messaging.calendar import Calendar, load_calendar
from messaging.handoffs import open_handoff
from messaging.mail import EmlFolder, MailError, deliver_due, enqueue
from tendero.cli import COMMANDS, cli, in_words
from tendero.environment import PROJECT


def tendero(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """As somebody types it: a process of its own."""
    command = [sys.executable, "-c", "from tendero.cli import main; main()", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environ}, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def calendar() -> Calendar:
    return load_calendar(PROJECT / "data" / "policies" / "support.yml", "support")


def hand_over(now: datetime, calendar: Calendar, **changes: Any) -> int:
    values: dict[str, Any] = {
        "sender_id": "web-1", "channel": "webchat", "customer_id": None, "language": "es", "reason": "asked",
        "goal": "track_order", "collected": {}, "tried": [], "verdict": None,
        "transcript": [{"by": "shopper", "text": "quiero una persona", "at": 1}],
    }  # fmt: skip
    with transaction() as session:
        return int(open_handoff(session, **{**values, **changes}, now=now, calendar=calendar).handoff.id)


def ana(url: str, now: datetime) -> int:
    with transaction(url) as session:
        customer = Customer(
            number="C-1", name="Ana García", email="ana@example.com", phone=None, language="es", country="MX", currency="MXN",
            created_at=now,
        )  # fmt: skip
        session.add(customer)
        session.flush()
        return int(customer.id)


def test_help_names_every_command(runner: CliRunner) -> None:
    shown = runner.invoke(cli, ["--help"]).output
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(runner: CliRunner, name: str) -> None:
    result = runner.invoke(cli, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) > 5


def test_help_imports_neither_rasa_nor_sqlalchemy() -> None:
    code = """
import sys, tendero.cli
tendero.cli.cli(["--help"], standalone_mode=False)
print({"rasa", "sqlalchemy"} & set(sys.modules))
"""
    shown = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "set()"


def test_taken_port_ends_run_with_words(home: Path) -> None:
    import socket

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = str(server.getsockname()[1])
        result = tendero("run", "--port", port)
    assert result.returncode == 1
    assert f"Port {port} is taken by another program" in result.stderr
    assert "Traceback" not in result.stderr


def test_unwritable_home_ends_run_with_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = tendero("run", TENDERO_HOME=str(tmp_path / "file" / "home"))
    assert result.returncode == 1
    assert "cannot write there (Not a directory)" in result.stderr
    assert "Traceback" not in result.stderr


def test_port_that_is_no_port_is_told(home: Path, runner: CliRunner) -> None:
    result = runner.invoke(cli, ["run"], env={"PORT": "99999"})
    assert result.exit_code == 2
    assert "99999" in result.output


def test_unreachable_database_is_told_in_words(home: Path) -> None:
    result = tendero("migrate", TENDERO_DATABASE_URL="postgresql://shop:geheim@127.0.0.1:1/shop")
    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert "geheim" not in result.stderr + result.stdout


def test_missing_tables_are_told_with_the_command_that_makes_them(home: Path) -> None:
    home.mkdir()
    result = tendero("handoffs")
    assert result.returncode == 1
    assert "tendero migrate" in result.stderr


def test_full_disk_is_told_in_words() -> None:
    assert "disk is full" in str(in_words(OSError(errno.ENOSPC, "No space left on device")))


def test_error_that_is_ours_is_not_hidden() -> None:
    assert in_words(KeyError("oops")) is None


def test_message_for_the_person_is_told() -> None:
    assert in_words(MailError("TENDERO_SMTP_URL must look like ...")) == "TENDERO_SMTP_URL must look like ..."


def test_outbox_shows_the_newest_first(shop: str, home: Path, runner: CliRunner, now: datetime) -> None:
    with transaction(shop) as session:
        for number in (1, 2):
            enqueue(session, f"k{number}", "ana@example.com", f"Asunto {number}", "Tu código: 123456", now)
    deliver_due(shop, EmlFolder(home / "outbox"), now, home)
    rows = json.loads(runner.invoke(cli, ["outbox", "--json"]).output)
    assert [row["subject"] for row in rows] == ["Asunto 2", "Asunto 1"]
    assert rows[0]["body"] == "Tu código: 123456\n"
    assert "Asunto 1" not in runner.invoke(cli, ["outbox", "-n", "1"]).output


def test_empty_outbox_says_where_it_looked(home: Path, runner: CliRunner) -> None:
    assert str(home / "outbox") in runner.invoke(cli, ["outbox"]).output


def test_handoff_is_listed_taken_and_given_back(shop: str, runner: CliRunner, now: datetime, calendar: Calendar) -> None:
    number = str(hand_over(now, calendar))
    assert [row["status"] for row in json.loads(runner.invoke(cli, ["handoffs", "--json"]).output)] == ["waiting"]
    assert "is with Marta" in runner.invoke(cli, ["handoffs", "take", number, "--as", "Marta"]).output
    assert [row["assignee"] for row in json.loads(runner.invoke(cli, ["handoffs", "--json"]).output)] == ["Marta"]
    assert "given back" in runner.invoke(cli, ["handoffs", "give-back", number]).output
    assert runner.invoke(cli, ["handoffs"]).output == "Nobody waits for a person.\n"


def test_handoff_of_another_is_not_taken_twice(
    shop: str, home: Path, runner: CliRunner, now: datetime, calendar: Calendar
) -> None:
    number = str(hand_over(now, calendar))
    runner.invoke(cli, ["handoffs", "take", number, "--as", "Marta"])
    result = tendero("handoffs", "take", number, "--as", "Pedro")
    assert (result.returncode, result.stderr) == (1, f"Handoff {number} is with Marta.\n")


def test_list_of_handoffs_fits_80_columns_and_names_the_customer(
    shop: str, runner: CliRunner, now: datetime, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    customer_id = ana(shop, now)
    said = [{"by": "shopper", "text": "quiero cancelar el pedido " * 9, "at": 1.0}]
    hand_over(now, calendar, customer_id=customer_id, goal="cancel_order", transcript=said)
    hand_over(now, calendar, sender_id="web-2")
    shown = runner.invoke(cli, ["handoffs"]).output
    assert max(map(len, shown.splitlines())) <= 80
    first, second = shown.split("\n\n")
    assert first.splitlines()[0] == "  1  waiting since 2026-11-18 09:00, C-1 Ana García <ana@example.com>"
    assert first.splitlines()[1] == "     asked for a person, Cancel an order, webchat, es"
    assert first.splitlines()[2].startswith("     “quiero cancelar el pedido")
    assert "a shopper who is not known" in second


def test_one_handoff_is_shown_to_be_read(
    shop: str, runner: CliRunner, now: datetime, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = [
        {"by": "shopper", "text": "quiero devolver la camisa", "at": now.timestamp()},
        {"by": "assistant", "text": "¿Qué motivo?\nElige uno: " + "no me gusta, " * 9, "at": now.timestamp() + 60},
    ]
    number = hand_over(
        now, calendar, customer_id=ana(shop, now), goal="request_return", tried=["track_order", "request_return"],
        transcript=said, reason="policy", collected={"order_number": "10201", "return_items": [{"sku": "A", "quantity": 2}]},
        verdict={"verdict": "needs_human", "rule": "returns.high_value"},
        sources={"order_number": {"from": "said", "text": "la  10201"}, "return_items": {"from": "account", "text": ""}},
    )  # fmt: skip
    runner.invoke(cli, ["handoffs", "take", str(number), "--as", "Marta"])
    runner.invoke(cli, ["handoffs", "give-back", str(number), "--note", "Va en camino"])
    shown = runner.invoke(cli, ["handoffs", "show", str(number)]).output
    assert max(map(len, shown.splitlines())) <= 80
    for line in (
        "Who        C-1 Ana García <ana@example.com> (webchat, es)",
        "Reason     the rules leave it to a person",
        "Wants      Return something",
        "Known      order number: 10201 (said: “la 10201”)",
        "           return items: sku A, quantity 2 (from the account)",
        "Tried      Where is my order, Return something",
        "Verdict    verdict: needs_human",
        "           rule: returns.high_value",
        "Note       Va en camino",
        "2026-11-18",
        "shopper    09:00  quiero devolver la camisa",
        "assistant  09:01  ¿Qué motivo?",
    ):
        assert line in shown.splitlines()
    assert shown.startswith(f"Handoff {number}: given back by Marta at ")
    missing = runner.invoke(cli, ["handoffs", "show", "99"])
    assert str(missing.exception) == "There is no handoff 99."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["handoffs", "take", "1", "--as", " "], "say who takes it"),
        (["handoffs", "take", "1", "--as", "x" * 65], "at most 64 letters"),
        (["handoffs", "take", "abc", "--as", "Marta"], "'abc' does not fit: give the number that `tendero handoffs` shows"),
        (["handoffs", "show", "9" * 20], "does not fit: give the number that `tendero handoffs` shows"),
        (["run", "--port", "abc"], "'abc' does not fit: give a port: a whole number from 1 to 65535"),
        (["run", "--action-port", "0"], "'0' does not fit: give a port"),
        (["outbox", "-n", "many"], "'many' does not fit: give a whole number from 1 on"),
        (["export-customer", "C-1", "--out", "/nope/x.json"], "There is no folder /nope"),
        (["export-customer", " "], "Say whose data"),
        (["policies", "--markdown", "/nope/x.md"], "There is no folder /nope"),
        (["import", "/nope"], "/nope"),
    ],
)
def test_wrong_argument_is_refused_in_words(home: Path, runner: CliRunner, arguments: list[str], told: str) -> None:
    result = runner.invoke(cli, arguments)
    assert result.exit_code == 2, result.output
    assert told in " ".join(result.output.split())


def test_file_that_cannot_be_written_is_told_in_words(shop: str, now: datetime) -> None:
    ana(shop, now)
    result = tendero("export-customer", "C-1", "--out", "/proc/x.json")
    assert (result.returncode, result.stderr) == (1, "/proc/x.json cannot be used: No such file or directory.\n")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("shop", "TENDERO_DATABASE_URL is no address of a database"),
        ("postgresql://shop:geheim@host:port/shop", "TENDERO_DATABASE_URL is no address of a database"),
        ("nosuch://shop:geheim@host/shop", "Tendero cannot use a database of the kind nosuch"),
    ],
)
@pytest.mark.parametrize("command", ["handoffs", "migrate"])
def test_address_of_no_database_is_told_without_its_password(home: Path, command: str, url: str, told: str) -> None:
    result = tendero(command, TENDERO_DATABASE_URL=url)
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert "geheim" not in result.stderr


def test_missing_and_broken_database_are_told_with_what_to_do(home: Path) -> None:
    missing = tendero("handoffs")
    assert (missing.returncode, "`tendero run` makes one" in missing.stderr) == (1, True)
    home.mkdir()
    (home / "tendero.db").write_text("this is no database " * 99)
    broken = tendero("export-customer", "C-1")
    assert (broken.returncode, "Something else lies where the shop's tendero.db should be" in broken.stderr) == (1, True)


def test_demo_speaks_the_languages_of_its_guides(home: Path, runner: CliRunner) -> None:
    assert "ana@example.com" in runner.invoke(cli, ["demo", "--lang", "es"]).output
    refused = runner.invoke(cli, ["demo", "--lang", "xx"])
    assert refused.exit_code == 2
    assert "en, es" in refused.output


def test_import_names_every_problem_and_ends_with_1(shop: str, tmp_path: Path, runner: CliRunner) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "products.csv").write_text("handel,name_en\nshirt,Shirt\n")
    result = runner.invoke(cli, ["import", str(tmp_path / "files")])
    assert result.exit_code == 1
    assert "products.csv" in result.output
    assert "Nothing was imported" in result.output


def test_unknown_customer_is_told(shop: str, runner: CliRunner) -> None:
    result = runner.invoke(cli, ["export-customer", "nobody@example.com"])
    assert (result.exit_code, result.output) == (1, "There is no customer nobody@example.com.\n")


def test_policies_are_counted(home: Path, runner: CliRunner) -> None:
    result = runner.invoke(cli, ["policies"])
    assert result.exit_code == 0
    assert "no gaps, no overlaps" in result.output


def test_reset_wants_to_be_meant(shop: str, home: Path, runner: CliRunner) -> None:
    assert runner.invoke(cli, ["reset"]).exit_code == 2
    assert (home / "tendero.db").exists()
    assert runner.invoke(cli, ["reset", "--yes"]).exit_code == 0
    assert not (home / "tendero.db").exists()


def test_reset_leaves_a_database_of_its_own_alone(home: Path, runner: CliRunner) -> None:
    result = runner.invoke(cli, ["reset", "--yes"], env={"TENDERO_DATABASE_URL": "postgresql://shop@db/shop"})
    assert result.exit_code == 2
