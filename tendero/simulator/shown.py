"""A message as people see it: the same few keys for every kind, for the page and for tests.

text, header, footer; label (what it is, where there are no words); media {kind, url, name}; buttons [{kind, id, title, url}];
list {button, sections}; location; contacts; products; cards; order; category (of a template).
"""

from __future__ import annotations

from typing import Any

from tendero.simulator.templates import Template, filled

MEDIA = ("image", "video", "audio", "document", "sticker")


def show_sent(body: dict[str, Any], template: Template | None = None) -> dict[str, Any]:
    """What the shop has sent."""
    kind = str(body.get("type", "text"))
    if kind == "interactive":
        return _interactive(body["interactive"])
    if kind == "template" and template is not None:
        return _template(template, body["template"])
    return show_plain(kind, body.get(kind))


def show_plain(kind: str, content: Any) -> dict[str, Any]:
    """Kinds that look alike from both sides."""
    if kind == "text":
        return {"text": content["body"]}
    if kind in MEDIA:
        return {"media": _media(kind, content), "text": content.get("caption", "")}
    if kind == "location":
        return {"location": content}
    if kind == "contacts":
        return {"contacts": [_contact(each) for each in content]}
    if kind == "reaction":
        return {"label": f"reaction {content.get('emoji') or 'taken away'}"}
    if kind == "order":
        return {"order": content["product_items"], "text": content.get("text", "")}
    return {"label": kind}


def show_written(message: dict[str, Any]) -> dict[str, Any]:
    """What a shopper has sent."""
    kind = message["type"]
    content: Any = message.get(kind)
    if kind == "interactive":
        reply = content[content["type"]]
        return {"text": reply.get("title") or reply.get("body") or content["type"]}
    if kind == "button":
        return {"text": content["text"]}
    if kind == "system":
        return {"label": content["body"]}
    return show_plain(kind, content)


def _media(kind: str, content: dict[str, Any]) -> dict[str, str]:
    url = f"/_simulator/files/{content['id']}" if content.get("id") else str(content.get("link", ""))
    return {"kind": kind, "url": url, "name": str(content.get("filename") or "")}


def _contact(contact: dict[str, Any]) -> dict[str, Any]:
    phones = [str(each.get("phone", "")) for each in contact.get("phones", [])]
    return {"name": contact.get("name", {}).get("formatted_name", ""), "phones": phones}


def _interactive(content: dict[str, Any]) -> dict[str, Any]:
    action, kind = content["action"], content["type"]
    shown: dict[str, Any] = {
        "text": content.get("body", {}).get("text", ""),
        "footer": content.get("footer", {}).get("text", ""),
        **_header(content.get("header")),
        **_action(kind, action),
    }
    return {name: value for name, value in shown.items() if value not in ("", None, [])}


def _header(header: dict[str, Any] | None) -> dict[str, Any]:
    if not header:
        return {}
    kind = header["type"]
    return {"header": header["text"]} if kind == "text" else {"media": _media(kind, header[kind])}


def _action(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    parameters = action.get("parameters") or {}
    if kind == "button":
        return {"buttons": [_reply(each) for each in action["buttons"]]}
    if kind == "list":
        return {"list": {"button": action["button"], "sections": action["sections"]}}
    if kind == "cta_url":
        return {"buttons": [{"kind": "url", "title": parameters["display_text"], "url": parameters["url"]}]}
    if kind == "flow":
        return {"buttons": [{"kind": "flow", "title": parameters["flow_cta"]}]}
    if kind == "location_request_message":
        return {"buttons": [{"kind": "location", "title": "Send location"}]}
    if kind == "contact_request":
        return {"buttons": [{"kind": "contact", "title": "Share phone number"}]}
    if kind == "product":
        return {"products": [action["product_retailer_id"]]}
    if kind == "product_list":
        return {"products": [item["product_retailer_id"] for section in action["sections"] for item in section["product_items"]]}
    if kind == "carousel":
        return {"cards": [_card(each) for each in action["cards"]]}
    return {"label": kind.replace("_", " ")}


def _card(card: dict[str, Any]) -> dict[str, Any]:
    if card["type"] == "product":
        return _action("product", card["action"])
    text = card.get("body", {}).get("text", "")
    return {"text": text, **_header(card["header"]), **_action(card["type"], card["action"])}


def _reply(button: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "reply", "id": button["reply"]["id"], "title": button["reply"]["title"]}


def _template(template: Template, content: dict[str, Any]) -> dict[str, Any]:
    texts = filled(template, content)
    shown: dict[str, Any] = {"text": texts["body"], "header": texts["header"], "footer": texts["footer"]}
    for component in content.get("components") or []:
        for parameter in component.get("parameters") or [] if str(component["type"]).lower() == "header" else ():
            if parameter["type"] in MEDIA:
                shown["media"] = _media(parameter["type"], parameter[parameter["type"]])
    shown["buttons"] = [_template_button(place, each, content) for place, each in enumerate(template.buttons)]
    kept = {name: value for name, value in shown.items() if value not in ("", [])}
    return {**kept, "category": template.category, "label": f"template {template.name}"}


def _template_button(place: int, button: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    title, kind = button.get("text", ""), str(button["type"]).upper()
    if kind == "QUICK_REPLY":
        return {"kind": "quick_reply", "id": _payload(place, content) or title, "title": title}
    if kind == "URL":
        return {"kind": "url", "title": title, "url": str(button.get("url", "")).replace("{{1}}", _payload(place, content))}
    return {"kind": kind.lower(), "title": title}


def _payload(place: int, content: dict[str, Any]) -> str:
    """The first parameter of the button at this place."""
    for component in content.get("components") or []:
        if str(component["type"]).lower() == "button" and int(component["index"]) == place:
            for parameter in component.get("parameters") or []:
                return str(parameter.get("payload") or parameter.get("text") or "")
    return ""
