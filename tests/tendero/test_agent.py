"""`tendero agent`: people are let in, changed and put out on the command line; passwords are on none."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from commerce.models import ShopSetting
from database import transaction
from desk import accounts, audit, sessions, sign_in
from desk.models import Agent, AuditEntry
from desk.passwords import PasswordRefused
from desk.sign_in import SignInRefused
from messaging.models import Handoff
from tendero import demo_agents, demo_shop, resetting, running
from tendero.cli import cli, in_words
from tendero.commands.agent import agent
from tendero.settings import Settings
from tests.commerce.shop import Shop

PASSWORD = "una frase bastante larga"
NOW = datetime.now(timezone.utc)


def run(runner: CliRunner, *arguments: str, said: str = PASSWORD) -> Result:
    return runner.invoke(cli, ["agent", *arguments], input=f"{said}\n")


def add(runner: CliRunner, name: str = "Ana", *more: str) -> Result:
    return run(runner, "add", name, "--sign-in-name", name, "--password-stdin", *more)


def comes_in(name: str, password: str = PASSWORD) -> bool:
    try:
        sign_in.sign_in(name, password, "192.0.2.1", "Firefox", datetime.now(timezone.utc))
    except SignInRefused:
        return False
    return True


def everybody(runner: CliRunner) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(run(runner, "list", "--json").output)
    return told


def audited() -> list[tuple[str, str, Any]]:
    with transaction() as session:
        rows = session.execute(select(AuditEntry).order_by(AuditEntry.id)).scalars()
        return [(row.agent_name, row.action, row.details.get("agent")) for row in rows]


def test_who_is_added_signs_in(shop: str, runner: CliRunner) -> None:
    result = add(runner, "Ana María", "--role", "supervisor", "--language", "es", "--queue", "returns", "--capacity", "7")
    assert isinstance(result.exception, accounts.WrongValue)  # a name for signing in has no spaces
    result = run(
        *(runner, "add", "Ana María", "--sign-in-name", "Ana@Example.com", "--password-stdin", "--role", "supervisor"),
        *("--language", "es", "--queue", "returns", "--capacity", "7"),
    )
    assert result.output == "Ana María (supervisor) signs in as ana@example.com.\n"
    assert comes_in("ANA@example.com")
    (row,) = everybody(runner)
    assert (row["languages"], row["queues"], row["capacity"], row["is_active"]) == (["es"], ["returns"], 7, True)
    assert audited()[0] == ("command line", "added_agent", "Ana María")


def test_a_password_can_be_made_and_is_shown_once(shop: str, runner: CliRunner) -> None:
    output = run(runner, "add", "Ana", "--sign-in-name", "ana", "--generate-password").output
    password = output.split("shown this once: ")[1].strip()
    assert comes_in("ana", password)
    assert password not in run(runner, "list").output + run(runner, "sessions", "Ana").output


def test_a_password_is_asked_for_twice_and_not_shown(shop: str, runner: CliRunner) -> None:
    result = runner.invoke(cli, ["agent", "add", "Ana", "--sign-in-name", "ana"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert comes_in("ana")


def test_no_command_takes_a_password_as_an_argument() -> None:
    """The shell's history keeps it, and everybody on the machine sees it."""
    options = {option for command in agent.commands.values() for each in command.params for option in each.opts}
    assert {each for each in options if "password" in each} == {"--password-stdin", "--generate-password", "--no-password"}
    assert all(
        each.is_flag
        for command in agent.commands.values()
        for each in command.params
        if isinstance(each, click.Option) and "password" in each.opts[0]
    )


def test_a_bad_password_is_refused_in_words(shop: str, runner: CliRunner) -> None:
    result = run(runner, "add", "Ana", "--sign-in-name", "ana", "--password-stdin", said="password1234")
    assert isinstance(result.exception, PasswordRefused)
    assert in_words(result.exception) == "This password is guessed soon: it is a common one, a name, or too regular."
    assert everybody(runner) == []


@pytest.mark.parametrize("name", ["Ana", "ANA", " ana ", "Ａna"])
def test_a_name_is_never_given_twice(shop: str, runner: CliRunner, name: str) -> None:
    add(runner, "Ana")
    run(runner, "deactivate", "Ana")
    for more in (("--sign-in-name", "other"), ("--sign-in-name", "ana")):
        result = run(runner, "add", name if more[1] == "other" else "Other", *more, "--no-password")
        assert isinstance(result.exception, accounts.NameTaken)
        assert "never given twice" in str(in_words(result.exception))


@pytest.mark.parametrize("name", ["", "x" * 65, "<b>", "a/b", "a%b", "\u202eAna", "a\nb\x00"])
def test_odd_names_are_refused(session: Any, name: str) -> None:
    with pytest.raises(accounts.WrongValue):
        accounts.create(session, name=name, sign_in_name="x", now=NOW)


def test_what_is_changed_counts_and_the_rest_stays(shop: str, runner: CliRunner) -> None:
    add(runner, "Ana", "--language", "es", "--queue", "returns")
    change = ("change", "Ana", "--queue", "orders", "--queue", "general", "--all-languages")
    assert "queues: orders, general" in run(runner, *change).output
    (row,) = everybody(runner)
    assert (row["queues"], row["languages"], row["role"]) == (["orders", "general"], [], "agent")
    assert run(runner, "change", "Ana").exit_code == 2
    assert isinstance(run(runner, "change", "Nobody", "--capacity", "3").exception, accounts.NoSuchAgent)


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--queue", "vip", "There is no queue 'vip' in data/policies/desk.yml, which has returns, orders, general."),
        ("--language", "fr", "There is no language 'fr' in this shop, which has en, es, nb, pt."),
    ],
)
def test_nobody_is_limited_to_what_there_is_not(shop: str, runner: CliRunner, option: str, name: str, words: str) -> None:
    add(runner, "Ana")
    for result in (add(runner, "Bea", option, name), run(runner, "change", "Ana", option, name)):
        assert isinstance(result.exception, accounts.WrongValue)
        assert in_words(result.exception) == words
    assert [(row["name"], row["queues"], row["languages"]) for row in everybody(runner)] == [("Ana", [], [])]


def test_list_warns_of_limits_that_are_gone(shop: str, runner: CliRunner) -> None:
    add(runner, "Ana", "--queue", "orders")
    assert "Ana is limited" not in run(runner, "list").output
    with transaction(shop) as session:
        accounts.by_name(session, "Ana").queues = ["orders", "sold"]
    assert "! Ana is limited to queues that there are not: sold (returns, orders, general)\n" in run(runner, "list").output
    (row,) = everybody(runner)
    assert row["gone"] == {"queues": ["sold"], "languages": []}


def test_a_new_password_ends_all_sessions(shop: str, runner: CliRunner) -> None:
    add(runner, "Ana")
    assert comes_in("ana")
    new = "otra frase bastante larga"
    assert "sessions ended: 1" in run(runner, "password", "Ana", "--password-stdin", said=new).output
    assert (comes_in("ana"), comes_in("ana", new)) == (False, True)


def test_who_is_put_out_is_out_until_let_in_again(shop: str, runner: CliRunner) -> None:
    add(runner, "Ana")
    token = sign_in.sign_in("ana", PASSWORD, "", "", NOW).token
    assert run(runner, "deactivate", "Ana").exit_code == 0
    assert sessions.visit(token, NOW) is None
    assert not comes_in("ana")
    assert "cannot sign in" in run(runner, "list").output
    run(runner, "change", "Ana", "--activate")
    assert sessions.visit(token, NOW) is None
    assert comes_in("ana")


def test_sessions_are_shown_and_ended(shop: str, runner: CliRunner) -> None:
    add(runner, "Ana")
    assert run(runner, "sessions", "Ana").output == "Ana is signed in nowhere.\n"
    token = sign_in.sign_in("ana", PASSWORD, "", "Firefox", NOW).token
    assert "by password · Firefox" in run(runner, "sessions", "Ana").output
    assert run(runner, "sessions", "Ana", "--revoke").output == "Sessions of Ana ended: 1.\n"
    assert sessions.visit(token, NOW) is None


# The demo


def test_the_demo_has_two_people_whose_password_only_its_owner_reads(shop: str, home: Path) -> None:
    file = demo_agents.make(home, shop, NOW)
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert comes_in("marta", password)
    assert comes_in("luis", password)
    assert demo_agents.make(home, shop, NOW) == file  # at the next start
    assert file.read_text().strip() == password
    with transaction(shop) as session:
        roles = {each.name: each.role for each in session.execute(select(Agent)).scalars()}
    assert roles == {"Marta": "supervisor", "Luis": "agent"}
    assert file.name in resetting.reset(home)


def test_a_shop_with_people_of_its_own_gets_no_others(shop: str, home: Path, runner: CliRunner) -> None:
    add(runner, "Ana")
    assert demo_agents.make(home, shop, NOW) is None
    assert [each["name"] for each in everybody(runner)] == ["Ana"]
    assert not (home / demo_agents.PASSWORD_FILE).exists()


def test_outside_of_the_demo_nobody_is_made(shop: str, home: Path, runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_write_shop_window", lambda settings: None)
    settings = Settings(home, shop)
    assert running._shop(settings, home).desk_password is None  # a shop, and not the demo's
    assert everybody(runner) == []
    with transaction(shop) as session:
        session.add(ShopSetting(name=demo_shop.MARK, value={"today": "2026-11-18"}))
    assert running._shop(replace(settings, with_demo=False), home).desk_password is None
    assert everybody(runner) == []
    assert running._shop(settings, home).desk_password is not None
    assert [each["name"] for each in everybody(runner)] == ["Luis", "Marta"]


# Erasing


def test_erasing_a_customer_leaves_the_audit_log_without_them(shop: str, runner: CliRunner) -> None:
    with transaction(shop) as session:
        whose = Shop(session).customer("Ana")
        told = {"status": "resolved", "language": "es", "reason": "asked", "channel": "webchat", "closed_at": NOW}
        handoff = Handoff(sender_id="web-1", customer_id=whose.id, created_at=NOW, **told)
        session.add(handoff)
        session.flush()
        audit.note(session, "Ana", "opened_conversation", handoff=handoff, now=NOW)
        number = whose.number
    assert runner.invoke(cli, ["erase-customer", number, "--yes"]).exit_code == 0
    with transaction(shop) as session:
        row = session.execute(select(AuditEntry)).scalar_one()
    assert (row.agent_name, row.action, row.sender_id, row.customer_id) == ("Ana", "opened_conversation", None, None)
    assert row.handoff_id is not None
