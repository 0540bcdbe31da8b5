"""The form of a template message; whether there is such a template, and with so many parameters, is `simulator.templates`."""

from __future__ import annotations

from collections.abc import Mapping

from tendero.simulator.checks.fields import Fields, wrong
from tendero.simulator.checks.media import source

NAME = r"[a-z0-9_]{1,512}"
BUTTONS = 10
CARDS = (2, 10)
COPY_CODE = 20
SUB_TYPES = ("quick_reply", "url", "copy_code", "catalog", "mpm", "flow", "order_details", "voice_call")
# What a parameter of a type has beside its type.
PARAMETERS: Mapping[str, str] = {
    "text": "text",
    "currency": "currency",
    "date_time": "date_time",
    "image": "image",
    "video": "video",
    "document": "document",
    "location": "location",
    "payload": "payload",
    "coupon_code": "coupon_code",
    "action": "action",
    "limited_time_offer": "limited_time_offer",
    "product": "product",
    "order_status": "order_status",
}


def check_template(fields: Fields) -> None:
    fields.only("name", "language", "components", "namespace")
    fields.pattern("name", NAME, "must be lower-case letters, digits and underscores, at most 512")
    language = fields.object("language")
    language.only("code", "policy")
    language.text("code")
    if language.has("policy"):
        language.choice("policy", ("deterministic",))
    if fields.has("components"):
        _check_components(fields)


def _check_components(fields: Fields) -> None:
    seen: list[str] = []
    for component in fields.items("components", 0, BUTTONS + 5):
        kind = component.text("type").lower()
        if kind == "button":
            seen.append(f"button {_check_button(component)}")
        elif kind == "carousel":
            seen.append(kind)
            _check_cards(component)
        elif kind in ("header", "body", "footer", "limited_time_offer", "order_status"):
            seen.append(kind)
            component.only("type", "parameters")
            _check_parameters(component)
        else:
            raise wrong(f"{component.at('type')} is not a component.")
    if len(seen) != len(set(seen)):
        raise wrong(f"{fields.at('components')} has a component twice.")


def _check_cards(component: Fields) -> None:
    component.only("type", "cards")
    for card in component.items("cards", *CARDS):
        card.only("card_index", "components")
        card.whole("card_index", 0, CARDS[1] - 1)
        _check_components(card)


def _check_button(component: Fields) -> int:
    """Its place among the buttons."""
    component.only("type", "sub_type", "index", "parameters")
    sub_type = component.text("sub_type").lower()
    if sub_type not in SUB_TYPES:
        raise wrong(f"{component.at('sub_type')} must be one of {', '.join(SUB_TYPES)}.")
    for parameter in _check_parameters(component):
        if sub_type == "quick_reply" and parameter.text("type") != "payload":
            raise wrong(f"{parameter.at('type')} of a quick reply must be payload.")
        if parameter.has("coupon_code"):
            parameter.text("coupon_code", COPY_CODE)
    return component.whole("index", 0, BUTTONS - 1)


def _check_parameters(component: Fields) -> list[Fields]:
    if not component.has("parameters"):
        return []
    parameters = component.items("parameters", 0, 100)
    for parameter in parameters:
        kind = parameter.text("type").lower()
        if kind not in PARAMETERS:
            raise wrong(f"{parameter.at('type')} is not a kind of parameter.")
        parameter.only("type", "parameter_name", PARAMETERS[kind])
        parameter.need(PARAMETERS[kind])
        if kind in ("text", "payload", "coupon_code"):
            parameter.text(PARAMETERS[kind], 1024)
        elif kind in ("image", "video", "document"):
            source(parameter.object(kind))
        elif kind in ("currency", "date_time"):
            parameter.object(kind).text("fallback_value")
    return parameters
