"""`tendero desk`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import click

from tendero.arguments import Whole

DAYS = Whole(1, 3650, "a number of days")
OUTCOMES = {
    "resolved": "resolved",
    "given_back": "given back to the assistant",
    "cancelled": "left by the shopper",
    "assigned": "with a person",
    "waiting": "waiting",
    "callback": "waiting for a call-back",
}


@click.group()
def desk() -> None:
    """The agents' desk."""


@desk.command()
@click.option("--days", type=DAYS, default=30, show_default=True, help="What was opened in this many days.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def report(days: int, as_json: bool) -> None:
    """Who asked for a person and why, how long they waited, what they were asked again, how it ended, how they liked it.

    Minutes are of opening hours. What was asked again is estimated by words, from the messages of the last 30 days.
    """
    from database import transaction
    from desk.report import shown

    with transaction(is_optimistic=True) as session:
        found = shown(session, days, datetime.now(timezone.utc))
    click.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else "\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"Conversations for people in the last {found['days']} days: {found['count']}"
    if found["complete_since"] > found["since"]:
        yield f"! Complete since {found['complete_since'][:10]}: of earlier ones some are deleted (kept_days in desk.yml)"
    for queue in found["unserved"]:
        yield f"! Nobody works in the queue {queue['title']} in {', '.join(queue['languages'])}"
    if not found["count"]:
        return
    yield from _counted("By reason", found["by_reason"])
    yield from _counted("By what the shopper wanted", found["by_goal"])
    yield from _counted("By topic, as settled", found["by_topic"])
    yield from _counted("By queue", found["by_queue"])
    yield from _counted("By channel", found["by_channel"])
    outcomes = [{"title": OUTCOMES[name], "count": count} for name, count in found["outcomes"].items()]
    yield from _counted("Now", sorted(outcomes, key=lambda each: -each["count"]))
    yield ""
    yield f"{'Minutes of opening hours':<34}{'median':>8}{'9 of 10':>9}{'of':>7}"
    for title, name in (
        ("Wait", "wait_minutes"),
        ("First reply", "first_reply_minutes"),
        ("In people's hands", "handle_minutes"),
    ):
        spread = found[name]
        yield f"  {title:<32}{_number(spread['median']):>8}{_number(spread['p90']):>9}{spread['count']:>7}"
    yield ""
    asked, quiet, rating = found["asked_again"], found["quiet"], found["rating"]
    yield f"Promises broken: {', '.join(f'{level} {count}' for level, count in found['breached'].items()) or 'none'}"
    yield f"Lost by who was gone or silent: {found['lost']}"
    yield f"Asked again for what was known (an estimate): {asked['conversations']} of {asked['of']}{_facts(asked['facts'])}"
    yield f"Settled, and quiet for 7 days: {quiet['quiet']} of {quiet['of']}"
    yield f"Rating: {_rating(rating)}"


def _counted(heading: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    if rows:
        yield ""
        yield heading
        yield from (f"  {row['title'] or 'not known':<40}{row['count']:>6}" for row in rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _facts(facts: dict[str, int]) -> str:
    return f" ({', '.join(f'{fact} {count}' for fact, count in facts.items())})" if facts else ""


def _rating(rating: dict[str, Any]) -> str:
    if rating["mean"] is None:
        return f"no answer yet ({rating['asked']} asked)"
    return f"{rating['mean']} of 5, {rating['good']:.0%} with 4 or 5 ({rating['answered']} of {rating['asked']} answered)"
