"""What is said in other words on one channel than on the others."""

from __future__ import annotations

import pytest

from tests.conversations.stage import Stage


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ("do you have red running shoes in size 39?", "open it here on the site"),
        ("how can I buy something?", "open it here on the site"),
        ("¿tienen tenis rojos en talla 39?", "ábrelo en esta misma web"),
        ("¿cómo creo una cuenta?", "aquí en la web"),
        ("vocês têm tênis vermelho no tamanho 39?", "abra o produto aqui no site"),
        ("har dere røde joggesko i størrelse 39?", "åpner du varen her på nettsiden"),
    ],
)
def test_shops_website_is_here_in_the_web_chat_and_elsewhere_on_whatsapp(stage: Stage, said: str, here: str) -> None:
    assert here in stage.say(stage.begin({"channel": "webchat"}), said).words
    assert here not in stage.say(stage.join({"channel": "whatsapp", "phone": "+34699999999"}), said).words
