from __future__ import annotations

from pathlib import Path

import pytest

from messaging.mail_texts import MailTextError, load_mail_texts

EN = "mail: {code: {subject: 'Code {code}', body: 'Your code is {code}, {name}.'}}"
ES = "mail: {code: {subject: 'Código {code}', body: 'Tu código es {code}, {name}.'}}"


def write(folder: Path, **files: str) -> Path:
    for language, text in files.items():
        (folder / f"{language}.yml").write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, **files: str) -> str:
    with pytest.raises(MailTextError) as caught:
        load_mail_texts(write(folder, **files))
    return str(caught.value)


def test_the_shops_own_texts_are_sound() -> None:
    texts = load_mail_texts()
    expected = {
        "code",
        "return_label",
        "exchange_label",
        "order_cancelled",
        "order_changed",
        "redeem_voucher",
        "callback",
        "desk_alert",
    }
    for language, by_key in texts.by_language.items():
        assert expected | {"invoice", "data_export", "data_erased", "newsletter_code"} == set(by_key), language


def test_region_takes_its_language_and_unknown_the_default(tmp_path: Path) -> None:
    texts = load_mail_texts(write(tmp_path, en=EN, es=ES))
    assert texts.render("es-MX", "code", code="1", name="Ana").subject == "Código 1"
    assert texts.render("fi", "code", code="1", name="Ana").subject == "Code 1"


def test_values_are_put_in_as_they_are(tmp_path: Path) -> None:
    text = load_mail_texts(write(tmp_path, en=EN)).render("en", "code", code="1\r\nBcc: x", name="{code}{0.__class__}")
    assert text.subject == "Code 1 Bcc: x"
    assert text.body == "Your code is 1\r\nBcc: x, {code}{0.__class__}.\n"


def test_missing_value_or_key_is_named(tmp_path: Path) -> None:
    texts = load_mail_texts(write(tmp_path, en=EN))
    with pytest.raises(MailTextError, match=r"needs a value for \{name\}"):
        texts.render("en", "code", code="1")
    with pytest.raises(MailTextError, match="no mail text 'cod'"):
        texts.render("en", "cod")


def test_every_fault_is_named_in_one_go(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        en="mail: {code: {subject: Hi, body: 'Code {code}'}, two: {subject: Hi}, three: {subject: Hi, body: '{Code!r}'}}",
        es="mail: {code: {subject: Hola, body: Código}}",
        pt="nothing: here",
        nb="mail: [",
    )
    assert "en.yml: two: needs 'subject' and 'body'" in said
    assert "en.yml: three: 'body' has a brace" in said
    assert "es.yml: code: does not use {code}" in said
    assert "pt.yml: needs the key 'mail'" in said
    assert "nb.yml: while parsing" in said


def test_key_missing_in_a_language_is_named(tmp_path: Path) -> None:
    assert "es.yml: code: is missing" in faults(tmp_path, en=EN, es="mail: {}")


def test_folder_without_the_default_language_is_refused(tmp_path: Path) -> None:
    assert "there is no en.yml" in faults(tmp_path, es=ES)
