"""The message templates that Meta has approved, paused or rejected, and whether a send fits one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from tendero.simulator.errors import GraphError

PARAMETER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PAGE, LONGEST_PAGE = 25, 1000


@dataclass(frozen=True)
class Template:
    """components: in the shape of Meta's list (type, text, format, buttons)."""

    name: str
    language: str
    components: list[dict[str, Any]] = field(default_factory=list)
    status: str = "APPROVED"  # or PENDING, REJECTED, PAUSED, DISABLED
    category: str = "UTILITY"  # or MARKETING, AUTHENTICATION

    def component(self, kind: str) -> dict[str, Any]:
        return next((each for each in self.components if str(each.get("type", "")).upper() == kind), {})

    @property
    def buttons(self) -> list[dict[str, Any]]:
        return list(self.component("BUTTONS").get("buttons", []))

    @classmethod
    def of(cls, told: dict[str, Any]) -> Template:
        """From the shape of Meta's list, or of what is posted there to make one. Raises TypeError where it has no name."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in told.items() if name in known})

    def as_json(self) -> dict[str, Any]:
        number = sum(ord(sign) * 31**place for place, sign in enumerate(f"{self.name}/{self.language}")) % 10**15
        named = {"name": self.name, "language": self.language, "status": self.status, "category": self.category}
        way = {"parameter_format": "NAMED" if _names_of(self) and not _names_of(self)[0].isdigit() else "POSITIONAL"}
        return {**named, **way, "components": self.components, "id": str(10**15 + number)}


class Templates:
    def __init__(self, known: Iterable[Template]) -> None:
        self._known: dict[tuple[str, str], Template] = {}
        for each in known:
            self.put(each)

    def put(self, template: Template) -> None:
        self._known[template.name, template.language] = template

    def page(self, wanted: dict[str, str], after: str | None, limit: int) -> tuple[list[Template], str | None]:
        """wanted: by name, status, language or category. Returns the page and the cursor of the next, None at the end."""
        rows = [each for each in self._known.values() if all(getattr(each, key) == value for key, value in wanted.items())]
        start = int(after) if after and after.isdecimal() else 0
        end = start + max(1, min(limit, LONGEST_PAGE))
        return rows[start:end], str(end) if end < len(rows) else None

    def fitting(self, content: dict[str, Any]) -> Template:
        """The template of a send whose form is right. Raises GraphError 132000, 132001, 132012, 132015 or 132016."""
        name, language = content["name"], content["language"]["code"]
        template = self._known.get((name, language))
        if template is None or template.status in ("PENDING", "REJECTED"):
            raise GraphError(132001, f"template name ({name}) does not exist in {language}")
        if template.status == "PAUSED":
            raise GraphError(132015, f"template name ({name}) is paused because of its quality")
        if template.status == "DISABLED":
            raise GraphError(132016, f"template name ({name}) is disabled because of its quality")
        _check_parameters(template, content.get("components") or [])
        return template


def _check_parameters(template: Template, components: list[dict[str, Any]]) -> None:
    given = {str(each["type"]).lower(): each.get("parameters") or [] for each in components}
    body = str(template.component("BODY").get("text", ""))
    _check_texts("body", list(dict.fromkeys(PARAMETER.findall(body))), given.get("body", []))
    _check_header(template.component("HEADER"), given.get("header", []))
    by_place = {int(each["index"]): each for each in components if str(each["type"]).lower() == "button"}
    for place, button in enumerate(template.buttons):
        _check_button(place, button, by_place.pop(place, None))
    if by_place:
        raise GraphError(132000, f"button at index {min(by_place)} is not in the template")
    cards = template.component("CAROUSEL").get("cards", [])
    sent: list[Any] = next((each["cards"] for each in components if str(each["type"]).lower() == "carousel"), [])
    if len(cards) != len(sent):
        raise GraphError(132000, f"carousel: number of cards ({len(sent)}) does not match the expected number ({len(cards)})")


def _check_header(header: dict[str, Any], given: list[dict[str, Any]]) -> None:
    form = str(header.get("format", "TEXT")).lower()
    if not header or form == "text":
        _check_texts("header", list(dict.fromkeys(PARAMETER.findall(str(header.get("text", ""))))), given)
    elif [str(each["type"]).lower() for each in given] != [form]:
        raise GraphError(132012, f"header: format mismatch, expected {form.upper()}")


def _check_texts(where: str, names: list[str], given: list[dict[str, Any]]) -> None:
    if len(names) != len(given):
        details = (
            f"{where}: number of localizable_params ({len(given)}) does not match the expected number of params ({len(names)})"
        )
        raise GraphError(132000, details)
    if names and not names[0].isdigit() and sorted(names) != sorted(str(each.get("parameter_name")) for each in given):
        raise GraphError(100, f"{where}: parameter names are {', '.join(names)}")
    for each in given:
        if str(each["type"]).lower() not in ("text", "currency", "date_time"):
            raise GraphError(132012, f"{where}: {each['type']} cannot stand in a text")


def _check_button(place: int, button: dict[str, Any], given: dict[str, Any] | None) -> None:
    kind = str(button["type"]).upper()
    needs = 1 if (kind == "URL" and "{{" in str(button.get("url", ""))) or kind in ("COPY_CODE", "OTP") else 0
    count = len((given or {}).get("parameters") or [])
    if count < needs or (kind == "URL" and count > needs):
        details = f"buttons: Button at index {place} of type {kind.title()} requires {needs} parameters and has {count}"
        raise GraphError(132000 if kind == "URL" and count > needs else 131008, details)


def _names_of(template: Template) -> list[str]:
    return PARAMETER.findall(str(template.component("BODY").get("text", "")))


def filled(template: Template, content: dict[str, Any]) -> dict[str, str]:
    """What people see: header and body with their parameters, and the footer."""
    given = {str(each["type"]).lower(): each.get("parameters") or [] for each in content.get("components") or []}
    return {
        kind: _fill(str(template.component(kind.upper()).get("text", "")), given.get(kind, []))
        for kind in ("header", "body", "footer")
    }


def _fill(text: str, given: list[dict[str, Any]]) -> str:
    values = {str(place): _value(each) for place, each in enumerate(given, 1)}
    values |= {str(each["parameter_name"]): _value(each) for each in given if each.get("parameter_name")}
    return PARAMETER.sub(lambda found: values.get(found[1], found[0]), text)


def _value(parameter: dict[str, Any]) -> str:
    inner = parameter.get(str(parameter["type"]).lower(), "")
    return str(inner.get("fallback_value", "")) if isinstance(inner, dict) else str(inner)


def _simple(name: str, language: str, text: str, **more: Any) -> Template:
    return Template(name, language, [{"type": "BODY", "text": text}, *more.pop("components", [])], **more)


def some() -> list[Template]:
    """Those that a new simulator has: Meta's hello_world, and one of each kind and status to try."""
    track = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "OK"}]}
    code = {
        "type": "BUTTONS",
        "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code", "url": "https://x.example/{{1}}"}],
    }
    return [
        _simple(
            "hello_world", "en_US", "Welcome and congratulations!! This message demonstrates your ability to send a message."
        ),
        _simple("order_shipped", "en", "Order {{1}} is on its way and should arrive on {{2}}.", components=[track]),
        _simple("order_shipped", "es", "El pedido {{1}} va en camino y debe llegar el {{2}}.", components=[track]),
        _simple("login_code", "en", "{{1}} is your code.", category="AUTHENTICATION", components=[code]),
        _simple("autumn_offer", "en", "Autumn at {{shop}}: {{percent}} off until Sunday.", category="MARKETING"),
        _simple("winter_offer", "en", "Winter is coming.", category="MARKETING", status="PAUSED"),
        _simple("old_offer", "en", "Nobody wanted this.", category="MARKETING", status="DISABLED"),
        _simple("free_money", "en", "Free money {{1}}{{2}}", category="MARKETING", status="REJECTED"),
        _simple("new_offer", "en", "Meta still looks at this.", category="MARKETING", status="PENDING"),
    ]
