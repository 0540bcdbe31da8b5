"""Replies as WhatsApp messages: `divide` makes contents of which each is one message, `body` makes such a one Meta's.

Nothing is left out unseen. What is too long for its place is divided, put somewhere else in the message, or shortened with an
ellipsis where the whole stands in the text above. More choices than a list has room for come in several lists, all of them
sent at once and each whole in itself ("1/3"): what is tapped means the same later, and nothing has to be remembered for it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.channels.whatsapp.bodies import CannotFit, body
from bot.channels.whatsapp.limits import (
    BODY,
    BUTTON_TITLE,
    BUTTONS,
    CAPTION,
    CONTACTS,
    FOOTER,
    HEADER,
    LINK_TITLE,
    PICTURES,
    PRODUCTS,
    ROW_DESCRIPTION,
    ROW_TITLE,
    ROWS,
    SECTION_TITLE,
    SECTIONS,
    TEXT,
)
from bot.channels.whatsapp.texts import in_a_line, in_two, length, shortened, split, with_ending
from messaging.replies import (
    FROM_RASA,
    SHOWN_CUSTOM,
    Card,
    Cards,
    Catalogue,
    Choice,
    Choices,
    Contacts,
    Content,
    DateRequest,
    File,
    Flow,
    Framed,
    Link,
    LocationRequest,
    Media,
    Part,
    Products,
    RatingRequest,
    ReplyError,
    Shelf,
    Text,
    parse_reply,
    to_content,
)

__all__ = ["CannotFit", "body", "divide", "is_in_a_row"]

logger = logging.getLogger(__name__)

OF_EVERY_PIECE = frozenset({"formatted", "preview"})  # keys below `custom` that say how all of a reply is shown
WITH_CAPTION = frozenset({"image", "video", "document"})

Numbered = Sequence[tuple[int, Choice]]


def divide(content: Mapping[str, Any], language: str = "") -> list[Content]:
    """Contents of one message each, in order; none where there is nothing to show. A piece is divided into itself.

    What Rasa says of the reply besides (`utter_action`, the values of its variables) stays with every piece; `piece` is [which,
    of how many] and `left_out` lists pictures that WhatsApp cannot show. language: for the words on a list; kept as `language`.
    Raises CannotFit where the reply is not written as it has to be.
    """
    showable, left_out = _with_showable_pictures(content)
    try:
        pieces = [to_content(piece) for part in parse_reply(showable) for piece in _fitting(part)]
    except ReplyError as error:
        raise CannotFit(str(error)) from error
    if left_out and not pieces:
        logger.warning("a reply has only a picture that WhatsApp cannot show: %s", ", ".join(left_out))
    return list(_labelled(pieces, content, {"language": language, "left_out": left_out}))


def _labelled(pieces: Sequence[Content], content: Mapping[str, Any], notes: Mapping[str, Any]) -> Iterator[Content]:
    besides = {key: value for key, value in content.items() if key not in FROM_RASA}
    besides |= {key: value for key, value in notes.items() if value}
    custom = content.get("custom") if isinstance(content.get("custom"), Mapping) else {}
    assert custom is not None
    unseen = {key: value for key, value in custom.items() if key not in SHOWN_CUSTOM}
    for number, piece in enumerate(pieces, 1):
        own = {key: value for key, value in unseen.items() if number == 1 or key in OF_EVERY_PIECE} | piece.get("custom", {})
        of_several = {"piece": [number, len(pieces)]} if len(pieces) > 1 else {}
        yield {**besides, **piece, **of_several, **({"custom": own} if own else {})}


def is_in_a_row(title: str) -> bool:
    """Whether a choice of this title is shown whole where it is tapped, be it in two lines."""
    return _row(Choice(in_a_line(title), "")) is not None


def _fitting(part: Part) -> Iterator[Part]:
    """The part as messages that fit."""
    match part:
        case Text(text):
            yield from map(Text, split(text, TEXT))
        case Media(kind, file, written):
            caption = written.strip()  # as `split` does with texts: Meta refuses blanks at the edges
            has_room = kind in WITH_CAPTION and length(caption) <= CAPTION
            yield Media(kind, file, caption if has_room else "")
            yield from [] if has_room else map(Text, split(caption, TEXT))
        case Choices():
            yield from _choices(part)
        case Link():
            yield from _link(part)
        case Products():
            yield from _products(part)
        case Flow():
            yield from _framed(replace(part, text=part.text or part.button), with_picture=True)
        case LocationRequest() | Catalogue():
            yield from _framed(part, with_header=False)
        case DateRequest() | RatingRequest():  # nothing to tap: it is asked in words, and answered in words
            around = "\n\n".join(filter(None, (part.header, part.text, part.footer)))
            yield from _fitting(Media("image", part.picture, around) if part.picture else Text(around))
        case Contacts(people):
            yield from (Contacts(people[at : at + CONTACTS]) for at in range(0, len(people), CONTACTS))
        case Cards(cards):
            # One message a card: a carousel wants the same kind of picture and the same buttons on each.
            yield from (piece for card in cards for of in parse_reply(_card(card)) for piece in _fitting(of))
        case _:
            yield part


def _framed(part: Framed, with_picture: bool = False, with_header: bool = True, with_footer: bool = True) -> Iterator[Part]:
    """Header, footer and text where there is room for them, else as texts of their own before it."""
    header, footer = in_a_line(part.header), in_a_line(part.footer)
    above = header if not with_header or (part.picture and with_picture) or length(header) > HEADER else ""
    below = footer if not with_footer or length(footer) > FOOTER else ""
    *before, text = with_ending("\n\n".join(filter(None, (above, part.text, below))), TEXT, BODY)
    if part.picture and not with_picture:
        yield Media("image", part.picture)
    yield from map(Text, before)
    picture = part.picture if with_picture else None
    yield replace(part, text=text, picture=picture, header="" if above else header, footer="" if below else footer)


def _link(link: Link) -> Iterator[Part]:
    title = in_a_line(link.title)
    if link.url.startswith(("https://", "http://")) and length(title) <= LINK_TITLE:
        yield from _framed(replace(link, title=title, text=link.text or title), with_picture=True)
        return
    written = "\n\n".join(filter(None, (link.header, link.text, f"{title}: {link.url}", link.footer)))
    yield from _fitting(Media("image", link.picture, written) if link.picture else Text(written))


def _products(products: Products) -> Iterator[Part]:
    skus = [(shelf.title, sku) for shelf in products.shelves for sku in shelf.skus]
    if len(skus) == 1:
        yield from _framed(replace(products, shelves=(Shelf("", (skus[0][1],)),)), with_header=False)
        return
    shelves = [
        Shelf(shelf.title, shelf.skus[at : at + PRODUCTS])
        for shelf in products.shelves
        for at in range(0, len(shelf.skus), PRODUCTS)
    ]
    for page in _pages_of_shelves(shelves):
        yield from _framed(replace(products, shelves=tuple(page)))


def _pages_of_shelves(shelves: Sequence[Shelf]) -> Iterator[list[Shelf]]:
    page: list[Shelf] = []
    for shelf in shelves:
        if page and (len(page) == SECTIONS or sum(len(each.skus) for each in [*page, shelf]) > PRODUCTS):
            yield page
            page = []
        page.append(shelf)
    yield page


def _card(card: Card) -> Content:
    buttons = to_content(Choices(choices=card.choices))["buttons"] + [{"title": title, "url": url} for title, url in card.links]
    return {"text": card.text, "image": card.picture.address if card.picture else "", "buttons": buttons}


# Choices


def _choices(part: Choices) -> Iterator[Part]:
    numbered = [(number, _in_lines(each, number)) for number, each in enumerate(part.choices, 1)]
    pages = [numbered[at : at + ROWS] for at in range(0, len(numbered), ROWS)]
    for number, page in enumerate(pages, 1):
        place = f"{number}/{len(pages)}" if len(pages) > 1 else ""
        choices, written = _laid_out(page)
        around = replace(part, footer=part.footer or place) if number == 1 else Choices(text=place, choices=())
        text = "\n\n".join(filter(None, (around.text, written)))
        whole = replace(around, text=text, choices=tuple(choices))
        yield from _framed(whole, with_picture=are_buttons(whole.choices))


def _in_lines(choice: Choice, number: int) -> Choice:
    """Without line breaks; one without a title is called by its number."""
    texts = {key: in_a_line(getattr(choice, key)) for key in ("description", "section")}
    return replace(choice, title=in_a_line(choice.title) or str(number), **texts)


def _laid_out(page: Numbered) -> tuple[list[Choice], str]:
    """(the choices as they are shown, what has to be written above them since it has no room there)."""
    as_they_are = [choice for _, choice in page]
    with_numbers = [replace(choice, title=f"{number}. {choice.title}") for number, choice in page]
    for choices in (as_they_are, with_numbers):
        if are_buttons(choices):
            return choices, ""
        if rows := _rows(choices):
            return rows, ""
    most = BUTTON_TITLE if len(page) <= BUTTONS else ROW_TITLE
    return [Choice(shortened(each.title, most), each.payload) for each in with_numbers], "\n".join(_written(with_numbers))


def are_buttons(choices: Sequence[Choice]) -> bool:
    """Whether they can be buttons right below the text; a list has to be opened first."""
    are_short = all(length(each.title) <= BUTTON_TITLE and not each.description and not each.section for each in choices)
    return are_short and len(choices) <= BUTTONS and _are_distinct(choices)


def _rows(choices: Sequence[Choice]) -> list[Choice] | None:
    sections = {each.section for each in choices}
    if any(length(title) > SECTION_TITLE for title in sections) or (len(sections) > 1 and "" in sections):
        return None
    rows = [row for each in choices if (row := _row(each))]
    return rows if len(rows) == len(choices) and _are_distinct(rows) else None


def _row(choice: Choice) -> Choice | None:
    """The title, or as much of it as there is room for and the rest below it; None where there is no room for all of it."""
    title, rest = choice.title, ""
    if length(title) > ROW_TITLE:
        title, rest = in_two(title, ROW_TITLE) or (shortened(title, ROW_TITLE), title)
    description = " · ".join(filter(None, (rest, choice.description)))
    return replace(choice, title=title, description=description) if length(description) <= ROW_DESCRIPTION else None


def _are_distinct(choices: Sequence[Choice]) -> bool:
    return len({each.title.casefold() for each in choices}) == len(choices)


def _written(choices: Sequence[Choice]) -> Iterator[str]:
    section = ""
    for each in choices:
        if each.section and each.section != section:
            yield f"{each.section}:"
        section = each.section
        yield " – ".join(filter(None, (each.title, each.description)))


# Pictures


def _with_showable_pictures(content: Mapping[str, Any]) -> tuple[Content, list[str]]:
    """The content without pictures of a kind that WhatsApp does not show, and which of them can only be left out.

    One that has a web address is named by it instead.
    """
    elements = [_with_showable_picture(dict(each), "image_url", "subtitle") for each in content.get("elements") or []]
    whole, left_out = _with_showable_picture(dict(content), "image", "text")
    lost = [address for address in (left_out, *(each[1] for each in elements)) if address]
    return whole | ({"elements": [each[0] for each in elements]} if elements else {}), lost


def _with_showable_picture(content: Content, key: str, text: str) -> tuple[Content, str]:
    address = content.get(key)
    if not isinstance(address, str) or is_showable(address):
        return content, ""
    del content[key]
    if not File(address).is_link:
        return content, address
    return content | {text: "\n\n".join(filter(None, (content.get(text), address)))}, ""


def is_showable(address: str) -> bool:
    """Whether this may be a picture that WhatsApp shows, as far as its name says."""
    name = address.partition("?")[0].rpartition("/")[2]
    _, dot, ending = name.rpartition(".")
    return not dot or ending.lower() in PICTURES or (File(address).is_link and not ending.isalpha())
