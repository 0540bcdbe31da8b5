"""A reply becomes WhatsApp messages that Meta takes, with every word and every choice of it."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.whatsapp.payloads import payload_of
from bot.channels.whatsapp.rendering import CannotFit, body, divide, is_in_a_row
from tests.bot.whatsapp.sending import KEY, assert_fits, sent, sign

PICTURE = "https://shop.example/a.jpg"


def buttons(*titles: str, **more: str) -> list[dict[str, str]]:
    return [{"title": title, "payload": f"/p{number}", **more} for number, title in enumerate(titles, 1)]


def interactive(message: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = message["interactive"]
    return found


def titles(message: Mapping[str, Any]) -> list[str]:
    action = interactive(message)["action"]
    if "buttons" in action:
        return [each["reply"]["title"] for each in action["buttons"]]
    return [f"{row['title']}|{row.get('description', '')}".rstrip("|") for each in action["sections"] for row in each["rows"]]


def tapped(messages: list[dict[str, Any]]) -> list[str]:
    """The ids in all the messages, each message's own."""
    found: list[str] = []
    for message in messages:
        action = message.get("interactive", {}).get("action", {})
        rows = [row for section in action.get("sections", []) for row in section["rows"]]
        ids = [each["id"] for each in [*(each["reply"] for each in action.get("buttons", [])), *rows]]
        assert len(ids) == len(set(ids))
        found += ids
    return found


def words_of(value: Any) -> Iterator[str]:
    """Everything that the shopper reads of a message."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in ("body", "text", "caption", "title", "description", "header", "footer") or not isinstance(each, str):
                yield from words_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from words_of(each)
    elif isinstance(value, str):
        yield value


# Texts without signs for formatting, which are shown by others that look alike; numbered words, so that none is missed.
words = st.text(string.ascii_letters + "éñåøæ👍🏽👩 .,!?-", min_size=1, max_size=12)
titles_ = st.one_of(words, st.text(string.ascii_letters + "é👍 ", max_size=150), st.sampled_from(["Yes", "yes", "No"]))
descriptions = st.one_of(st.just(""), words, st.text(string.ascii_letters + " ", max_size=120))
choices_ = st.lists(
    st.fixed_dictionaries(
        {"title": titles_, "description": descriptions, "section": st.sampled_from(["", "", "Shirts", "A" * 30])}
    ),
    max_size=34,
)


@settings(max_examples=120, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.text(string.ascii_letters + " .\n", max_size=9000)),
    choices_,
    st.sampled_from([None, PICTURE, "/static/a.png"]),
    st.dictionaries(st.sampled_from(["header", "footer"]), st.text(string.ascii_letters + " ", min_size=1, max_size=90)),
    st.booleans(),
)
def test_whatever_is_said_fits_and_is_whole(
    text: str, choices: list[dict[str, str]], picture: str | None, around: dict[str, str], same_payload: bool
) -> None:
    payloads = ['/inform{"choice": "x"}' if same_payload else f"/choose{number}" for number in range(len(choices))]
    offered = [{**choice, "payload": payload} for choice, payload in zip(choices, payloads, strict=True)]
    content = {"text": text, "buttons": offered, "image": picture, "custom": {"formatted": True, **(around if choices else {})}}
    messages = sent(content)

    assert [payload_of(id_, KEY) for id_ in tapped(messages)] == payloads
    read = "".join("".join(words_of(messages)).split())
    for said in [text, *(around.values() if choices else ())]:
        for word in said.split():
            assert word in read
    for choice in choices:
        for word in f"{choice['title']} {choice['description']}".split():
            assert word in read
    assert sum(PICTURE in str(message) or "1234567890" in str(message) for message in messages) == (1 if picture else 0)


def test_caption_has_no_blanks_at_its_edges() -> None:
    (message,) = sent({"text": " La camisa\r\n", "image": PICTURE})
    assert message["image"]["caption"] == "La camisa"


@settings(deadline=None)
@given(st.text(max_size=6000), choices_)
def test_a_piece_is_divided_into_itself(text: str, choices: list[dict[str, str]]) -> None:
    offered = [{**choice, "payload": f"/{number}"} for number, choice in enumerate(choices)]
    for piece in divide({"text": text, "buttons": offered, "utter_action": "utter_x"}, "nb"):
        assert divide(piece) == [piece]


# Choices


def test_up_to_three_short_choices_are_buttons() -> None:
    [message] = sent({"text": "Shall I?", "buttons": buttons("Yes, please", "No, thanks")})
    assert interactive(message)["type"] == "button"
    assert interactive(message)["body"] == {"text": "Shall I?"}
    assert titles(message) == ["Yes, please", "No, thanks"]


def test_four_choices_are_a_list_that_opens_in_the_shoppers_language() -> None:
    [message] = sent({"text": "¿Cuál?", "buttons": buttons("A", "B", "C", "D")}, "es")
    assert interactive(message)["action"]["button"] == "Elegir"
    assert titles(message) == ["A", "B", "C", "D"]


def test_title_too_long_for_a_button_is_a_row() -> None:
    [message] = sent({"text": "And?", "buttons": buttons("I don't need it anymore", "No")})
    assert interactive(message)["type"] == "list"
    assert titles(message) == ["I don't need it anymore", "No"]


def test_title_too_long_for_a_row_goes_on_below() -> None:
    [message] = sent(
        {"text": "Which?", "buttons": buttons("Blue shirt with a collar · 49.90 €", "Report a problem with a delivery")}
    )
    assert titles(message) == ["Blue shirt with a collar|49.90 €", "Report a problem with a|delivery"]


def test_title_too_long_for_both_is_written_above() -> None:
    question = "How long does it take until the money is back in my account " * 2
    [message] = sent({"text": "Which?", "buttons": buttons(question, "Another one")})
    assert interactive(message)["body"]["text"] == f"Which?\n\n1. {question.strip()}\n2. Another one"
    assert titles(message) == ["1. How long does it…", "2. Another one"]


def test_choices_of_the_same_title_are_told_apart() -> None:
    messages = sent({"text": "Which?", "buttons": buttons("Blue shirt", "Blue shirt", "Trousers")})
    assert titles(messages[0]) == ["1. Blue shirt", "2. Blue shirt", "3. Trousers"]
    assert [payload_of(id_, KEY) for id_ in tapped(messages)] == ["/p1", "/p2", "/p3"]


def test_titles_that_begin_alike_are_told_apart() -> None:
    [message] = sent({"text": "Which?", "buttons": buttons(*(f"The very same long shirt {size}" for size in "SML"))})
    assert titles(message) == [f"{n}. The very same long|shirt {size}" for n, size in enumerate("SML", 1)]


def test_more_than_ten_come_in_several_lists_that_are_whole_in_themselves() -> None:
    messages = sent({"text": "Which?", "buttons": buttons(*(f"Shirt {number}" for number in range(1, 24)))})
    assert [len(titles(message)) for message in messages] == [10, 10, 3]
    assert [interactive(message)["body"]["text"] for message in messages] == ["Which?", "2/3", "3/3"]
    assert interactive(messages[0])["footer"] == {"text": "1/3"}
    assert [payload_of(id_, KEY) for id_ in tapped(messages)] == [f"/p{number}" for number in range(1, 24)]


def test_sections_stand_above_their_rows() -> None:
    offered = [*buttons("A", "B", section="Shirts"), *buttons("C", section="Trousers")]
    [message] = sent({"text": "Which?", "buttons": offered})
    sections = interactive(message)["action"]["sections"]
    assert [(section["title"], len(section["rows"])) for section in sections] == [("Shirts", 2), ("Trousers", 1)]


def test_choices_without_a_text_have_one() -> None:
    [message] = sent({"buttons": buttons("A", "B")}, "pt")
    assert interactive(message)["body"] == {"text": "Escolher"}


def test_picture_of_buttons_is_above_them() -> None:
    [message] = sent({"text": "Take it?", "image": PICTURE, "buttons": buttons("Yes", "No")})
    assert interactive(message)["header"] == {"type": "image", "image": {"link": PICTURE}}


def test_picture_of_a_list_goes_before_it() -> None:
    picture, listed = sent({"text": "Which?", "image": PICTURE, "buttons": buttons("A", "B", "C", "D")})
    assert picture == {"type": "image", "image": {"link": PICTURE}}
    assert interactive(listed)["type"] == "list"


def test_long_text_goes_before_its_choices_and_ends_with_them() -> None:
    sentence = "This is how it is with that order. "
    first, last = sent({"text": sentence * 60, "buttons": buttons("Yes", "No")})
    assert first["type"] == "text"
    assert first["text"]["body"].endswith("order.")
    assert interactive(last)["body"]["text"].startswith("This is")
    assert len(interactive(last)["body"]["text"]) <= 1024


# Texts, files, links


def test_long_text_is_several_messages() -> None:
    messages = sent({"text": "All of it is here. " * 500})
    assert [message["type"] for message in messages] == ["text"] * 3
    assert all(message["text"]["body"].endswith("here.") for message in messages)


def test_a_link_in_a_text_has_no_preview_unless_it_is_wanted() -> None:
    assert sent({"text": "https://shop.example"})[0]["text"]["preview_url"] is False
    assert sent({"text": "https://shop.example", "custom": {"preview": True}})[0]["text"]["preview_url"] is True


def test_signs_for_formatting_are_shown_as_signs_unless_they_are_meant() -> None:
    assert sent({"text": "The *NEW* one"})[0]["text"]["body"] == "The ∗NEW∗ one"
    assert sent({"text": "The *NEW* one", "custom": {"formatted": True}})[0]["text"]["body"] == "The *NEW* one"
    assert sent({"text": "x", "image": PICTURE})[0]["image"]["caption"] == "x"
    assert sent({"text": "*x*", "image": PICTURE})[0]["image"]["caption"] == "∗x∗"
    assert interactive(sent({"text": "*x*", "buttons": buttons("A")})[0])["body"]["text"] == "∗x∗"


def test_caption_too_long_is_a_text_after_the_picture() -> None:
    picture, text = sent({"text": "A shirt. " * 150, "image": PICTURE})
    assert "caption" not in picture["image"]
    assert text["type"] == "text"


@pytest.mark.parametrize(
    ("address", "body_"),
    [
        ("labels/RMA-1.pdf", {"id": "1234567890", "filename": "RMA-1.pdf", "caption": "Your label"}),
        (
            "https://shop.example/l/RMA-1.pdf?x=1",
            {"link": "https://shop.example/l/RMA-1.pdf?x=1", "filename": "RMA-1.pdf", "caption": "Your label"},
        ),
    ],
)
def test_document_goes_by_id_or_by_link(address: str, body_: dict[str, str]) -> None:
    attachment = {"type": "document", "payload": {"src": address}}
    assert sent({"text": "Your label", "attachment": attachment}) == [{"type": "document", "document": body_}]


@pytest.mark.parametrize("kind", ["video", "audio", "sticker"])
def test_other_files(kind: str) -> None:
    messages = sent({"text": "Look", "attachment": {"type": kind, "payload": {"src": "https://shop.example/a"}}})
    assert messages[0][kind]["link"] == "https://shop.example/a"
    assert messages[0][kind].get("caption") == ("Look" if kind == "video" else None)
    assert len(messages) == (1 if kind == "video" else 2)


def test_a_file_of_ours_has_to_be_uploaded() -> None:
    with pytest.raises(CannotFit, match="has to be uploaded"):
        body({"image": "/static/a.png"}, sign)


def test_picture_of_another_kind_is_named_by_its_address() -> None:
    assert (
        sent({"text": "A shirt", "image": "https://shop.example/a.svg"})[0]["text"]["body"]
        == "A shirt\n\nhttps://shop.example/a.svg"
    )


def test_picture_that_cannot_be_shown_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    [piece] = divide({"text": "A shirt", "image": "/static/products/shirts.svg"})
    assert piece == {"text": "A shirt", "left_out": ["/static/products/shirts.svg"]}
    assert divide({"image": "/static/products/shirts.svg"}) == []
    assert "/static/products/shirts.svg" in caplog.text


def test_link_is_a_button() -> None:
    [message] = sent(
        {"text": "Please pay", "image": PICTURE, "custom": {"link": {"title": "Pay now", "url": "https://a.example"}}}
    )
    assert interactive(message) == {
        "type": "cta_url",
        "header": {"type": "image", "image": {"link": PICTURE}},
        "body": {"text": "Please pay"},
        "action": {"name": "cta_url", "parameters": {"display_text": "Pay now", "url": "https://a.example"}},
    }


@pytest.mark.parametrize(("title", "url"), [("Pay this order on our page", "https://a.example"), ("Call", "tel:+34600000000")])
def test_link_that_cannot_be_a_button_is_written(title: str, url: str) -> None:
    [message] = sent({"text": "Please", "buttons": [{"title": title, "url": url}]})
    assert message["text"]["body"] == f"Please\n\n{title}: {url}"


def test_header_and_footer_too_long_are_part_of_the_text() -> None:
    custom = {"header": "h" * 61, "footer": "f" * 61}
    [message] = sent({"text": "Which?", "buttons": buttons("A"), "custom": custom})
    assert interactive(message)["body"]["text"] == f"{'h' * 61}\n\nWhich?\n\n{'f' * 61}"


# What only `custom` has


def test_location_request() -> None:
    [message] = sent({"text": "Where are you?", "custom": {"location_request": True}})
    assert interactive(message)["action"] == {"name": "send_location"}


@pytest.mark.parametrize("asked", [{"date_request": True}, {"rating_request": {"most": 5}}])
def test_what_whatsapp_has_no_message_for_is_asked_in_words(asked: dict[str, Any]) -> None:
    [message] = sent({"text": "When?", "custom": {**asked, "header": "A day", "footer": "Any"}})
    assert message["text"]["body"] == "A day\n\nWhen?\n\nAny"


def test_location() -> None:
    place = {"latitude": 40.42, "longitude": -3.7, "name": "Malasaña"}
    assert sent({"custom": {"location": place}}) == [{"type": "location", "location": place}]


def test_one_product() -> None:
    [message] = sent({"text": "This one", "custom": {"products": {"catalogue": "77", "skus": ["TS-M"]}}})
    assert interactive(message)["action"] == {"catalog_id": "77", "product_retailer_id": "TS-M"}


def test_products_come_in_lists_of_thirty() -> None:
    products = {
        "catalogue": "77",
        "shelves": [{"title": "Shirts", "skus": [f"S{n}" for n in range(40)]}, {"title": "Bags", "skus": ["B1"]}],
    }
    messages = sent({"text": "Look", "custom": {"products": products, "header": "New"}})
    listed = [interactive(message)["action"]["sections"] for message in messages]
    skus = [item["product_retailer_id"] for sections in listed for section in sections for item in section["product_items"]]
    assert skus == [*(f"S{n}" for n in range(40)), "B1"]
    assert [len(sections) for sections in listed] == [1, 2]


def test_several_products_need_a_header() -> None:
    products = {"catalogue": "77", "skus": ["A", "B"]}
    with pytest.raises(CannotFit, match="header is empty"):
        sent({"text": "Look", "custom": {"products": products}})


def test_catalogue() -> None:
    [message] = sent({"text": "All we have", "custom": {"catalogue": {"sku": "TS-M"}}})
    action = {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "TS-M"}}
    assert interactive(message)["action"] == action


def test_flow() -> None:
    flow = {"button": "Open form", "name": "returns", "screen": "FIRST", "data": {"order": "10206"}, "token": "t"}
    [message] = sent({"text": "Fill it in", "custom": {"flow": flow}})
    assert interactive(message)["action"]["parameters"] == {
        "flow_message_version": "3",
        "flow_name": "returns",
        "flow_cta": "Open form",
        "flow_token": "t",
        "flow_action": "navigate",
        "flow_action_payload": {"screen": "FIRST", "data": {"order": "10206"}},
    }


def test_more_than_five_contacts_are_several_messages() -> None:
    people = [{"name": f"Ana {number}", "phones": ["+34600000000"], "emails": ["a@shop.example"]} for number in range(7)]
    messages = sent({"custom": {"contacts": people}})
    assert [len(message["contacts"]) for message in messages] == [5, 2]
    assert messages[0]["contacts"][0]["name"] == {"formatted_name": "Ana 0", "first_name": "Ana", "last_name": "0"}


def test_reaction() -> None:
    [message] = sent({"custom": {"reaction": {"message_id": "wamid.1", "emoji": "👍"}, "reply_to": "wamid.2"}})
    assert message == {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}


def test_only_the_first_piece_replies_to_a_message() -> None:
    first, second = sent({"text": "All of it is here. " * 300, "custom": {"reply_to": "wamid.1"}})
    assert first["context"] == {"message_id": "wamid.1"}
    assert "context" not in second


def test_cards_are_a_message_each() -> None:
    elements = [
        {"title": "Blue shirt", "subtitle": "49.90 €", "image_url": PICTURE, "buttons": buttons("Take it")},
        {"title": "Bag", "image_url": PICTURE},
        {"title": "Trousers", "buttons": [{"title": "Look", "url": "https://shop.example/t"}]},
    ]
    messages = sent({"text": "Look:", "elements": elements})
    assert [message["type"] for message in messages] == ["text", "interactive", "image", "interactive"]
    assert interactive(messages[1])["body"]["text"] == "Blue shirt\n49.90 €"
    assert interactive(messages[3])["type"] == "cta_url"


# Templates


def template(**values: Any) -> dict[str, Any]:
    [message] = sent({"custom": {"template": {"name": "order_shipped", "language": "es_MX", **values}}})
    found: dict[str, Any] = message["template"]
    assert (found["name"], found["language"]) == ("order_shipped", {"code": "es_MX"})
    return found


def test_template_without_values() -> None:
    assert "components" not in template()


def test_template_values_in_order() -> None:
    values = ["10206", {"amount": 129900, "currency": "MXN", "text": "$1,299.00"}, {"date_time": "20 de noviembre"}, "a\n b"]
    [given] = template(body=values)["components"]
    assert given == {
        "type": "body",
        "parameters": [
            {"type": "text", "text": "10206"},
            {"type": "currency", "currency": {"fallback_value": "$1,299.00", "code": "MXN", "amount_1000": 1299000}},
            {"type": "date_time", "date_time": {"fallback_value": "20 de noviembre"}},
            {"type": "text", "text": "a b"},
        ],
    }


def test_template_money_without_minor_units() -> None:
    [given] = template(body=[{"amount": 500, "currency": "JPY", "text": "¥500"}])["components"]
    assert given["parameters"][0]["currency"]["amount_1000"] == 500_000


def test_template_values_by_name() -> None:
    header, given = template(header={"text": {"name": "Ana"}}, body={"order": "10206"})["components"]
    assert header["parameters"] == [{"type": "text", "text": "Ana", "parameter_name": "name"}]
    assert given["parameters"] == [{"type": "text", "text": "10206", "parameter_name": "order"}]


@pytest.mark.parametrize(
    ("header", "parameter"),
    [
        ({"text": "Ana"}, {"type": "text", "text": "Ana"}),
        ({"image": PICTURE}, {"type": "image", "image": {"link": PICTURE}}),
        ({"video": "https://a.example/a.mp4"}, {"type": "video", "video": {"link": "https://a.example/a.mp4"}}),
        (
            {"document": "labels/a1.pdf", "name": "label.pdf"},
            {"type": "document", "document": {"id": "1234567890", "filename": "label.pdf"}},
        ),
        (
            {"location": {"latitude": 19.4, "longitude": -99.1, "name": "Shop"}},
            {"type": "location", "location": {"latitude": "19.4", "longitude": "-99.1", "name": "Shop"}},
        ),
    ],
)
def test_template_header(header: dict[str, Any], parameter: dict[str, Any]) -> None:
    [given] = template(header=header)["components"]
    assert given == {"type": "header", "parameters": [parameter]}


def test_template_buttons_keep_their_place() -> None:
    given = template(
        buttons=[
            {"payload": "/a"},
            {},
            {"url": "10206"},
            {"code": "SAVE10"},
            {"flow": {"token": "t", "data": {"a": 1}}},
            {"catalogue": "TS-M"},
            {"products": {"shelves": [{"title": "New", "skus": ["A", "B"]}]}},
        ]
    )["components"]
    assert [(each["sub_type"], each["index"]) for each in given] == [
        ("quick_reply", "0"),
        ("url", "2"),
        ("copy_code", "3"),
        ("flow", "4"),
        ("catalog", "5"),
        ("mpm", "6"),
    ]
    assert payload_of(given[0]["parameters"][0]["payload"], KEY) == "/a"
    assert given[1]["parameters"] == [{"type": "text", "text": "10206"}]
    assert given[2]["parameters"] == [{"type": "coupon_code", "coupon_code": "SAVE10"}]
    assert given[3]["parameters"] == [{"type": "action", "action": {"flow_token": "t", "flow_action_data": {"a": 1}}}]
    assert given[5]["parameters"][0]["action"]["thumbnail_product_retailer_id"] == "A"


def test_template_cards() -> None:
    card = {"header": {"image": PICTURE}, "body": ["Blue"], "buttons": [{"payload": "/a"}]}
    [carousel] = template(cards=[card, card])["components"]
    assert [each["card_index"] for each in carousel["cards"]] == [0, 1]
    assert [each["type"] for each in carousel["cards"][0]["components"]] == ["header", "body", "button"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "Order Shipped"}, "small letters, digits and _ only"),
        ({"cards": [{"body": ["x"]}]}, "1 cards"),
        ({"buttons": [{"payload": "/a"}] * 11}, "more than 10 template buttons"),
        ({"buttons": [{"code": "x" * 21}]}, "code has 21 characters"),
        ({"buttons": [{"phone": "1"}]}, "a template button with phone"),
        ({"body": "10206"}, "values are a list, or names and values"),
        ({"body": [""]}, "'' is no value"),
        ({"body": [{"amount": 1}]}, "is no value"),
    ],
)
def test_template_that_meta_would_refuse(values: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotFit, match=said):
        template(**values)


# What is kept of a reply


def test_pieces_keep_what_is_known_of_the_reply() -> None:
    content = {
        "text": "All of it is here. " * 300,
        "utter_action": "utter_faq_answer",
        "custom": {"source": "faq", "preview": True},
    }
    first, second = divide(content, "nb")
    assert (first["utter_action"], first["language"], first["piece"]) == ("utter_faq_answer", "nb", [1, 2])
    assert (second["utter_action"], second["language"], second["piece"]) == ("utter_faq_answer", "nb", [2, 2])
    assert first["custom"] == {"source": "faq", "preview": True}
    assert second["custom"] == {"preview": True}


def test_nothing_to_show_is_no_message() -> None:
    assert divide({"custom": {"source": "faq"}, "utter_action": "utter_x"}) == []


def test_what_is_not_divided_is_not_sent() -> None:
    with pytest.raises(CannotFit, match="2 messages in one"):
        body({"image": PICTURE, "custom": {"contacts": [{"name": "Ana"}]}}, sign)
    with pytest.raises(CannotFit, match="904 too many"):
        body({"text": "x" * 5000}, sign)


def test_what_is_written_wrongly_cannot_be_sent() -> None:
    with pytest.raises(CannotFit, match="link needs a url"):
        divide({"text": "x", "custom": {"link": {"title": "Pay"}}})


@pytest.mark.parametrize(("title", "fits"), [("x" * 72, True), ("x" * 73, False), ("twenty four letters here " + "x" * 72, True)])
def test_longest_title_that_is_shown_where_it_is_tapped(title: str, fits: bool) -> None:
    assert is_in_a_row(title) is fits


def test_meta_would_refuse_what_the_tests_say_fits_not() -> None:
    message = {"type": "interactive", "interactive": {"type": "button", "body": {"text": "x"}, "action": {"buttons": []}}}
    with pytest.raises(AssertionError):
        assert_fits(message)
