"""The templates of data/templates/whatsapp.yml beside those that Meta has approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.channels.whatsapp.graph import Graph
from bot.channels.whatsapp.settings import WhatsAppSettings
from bot.channels.whatsapp.templates import Template, Templates

MOST_PAGES = 100
FIELDS = "name,language,status,category,components"
_VARIABLE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


@dataclass(frozen=True)
class Compared:
    """problem: empty where the template can be sent."""

    template: Template
    status: str  # as Meta says it, or "missing"
    problem: str = ""


async def approved(settings: WhatsAppSettings, graph: Graph) -> list[dict[str, Any]]:
    """All templates of the account. Raises GraphFailure."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = await graph.read(f"{settings.business_account_id}/message_templates", fields=FIELDS, limit="100", **after)
        found += [each for each in page.get("data") or [] if isinstance(each, dict)]
        paging = page.get("paging") or {}
        cursor = (paging.get("cursors") or {}).get("after")
        if not paging.get("next") or not cursor:
            break
        after = {"after": str(cursor)}
    return found


def compared(ours: Templates, theirs: list[dict[str, Any]]) -> Iterator[Compared]:
    """Each of ours with what keeps it from being sent."""
    known = {(str(each.get("name")), str(each.get("language"))): each for each in theirs}
    for template in ours.all:
        found = known.get((template.name, template.language))
        if found is None:
            others = sorted(language for name, language in known if name == template.name)
            hint = f"; there is one in {', '.join(others)}" if others else ""
            yield Compared(template, "missing", f"Meta has no {template.name} in {template.language}{hint}")
        else:
            yield Compared(template, str(found.get("status")), _problem(template, found))


def to_create(template: Template) -> dict[str, Any]:
    """What to POST to /{business_account_id}/message_templates; the examples of variables are for Meta's reviewers."""
    body: dict[str, Any] = {"type": "BODY", "text": template.text}
    if template.body:
        body["example"] = {"body_text": [list(template.body)]}
    return {"name": template.name, "language": template.language, "category": "UTILITY", "components": [body]}


def _problem(template: Template, found: dict[str, Any]) -> str:
    status = str(found.get("status"))
    if status != "APPROVED":
        return f"{template.name} ({template.language}) is {status.lower().replace('_', ' ')} at Meta"
    text = _body_of(found)
    variables = len(set(_VARIABLE.findall(text)))
    if variables != len(template.body):
        return f"{template.name} ({template.language}) has {variables} variables at Meta, and {len(template.body)} names in body"
    if template.text and _plain(template.text) != _plain(text):
        return f"{template.name} ({template.language}) says something else at Meta: {text}"
    return ""


def _body_of(found: dict[str, Any]) -> str:
    components = found.get("components") or []
    return next((str(each.get("text") or "") for each in components if str(each.get("type")).upper() == "BODY"), "")


def _plain(text: str) -> str:
    return " ".join(text.split())
