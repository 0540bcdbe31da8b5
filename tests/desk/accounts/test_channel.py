"""The desk among the channels of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from sanic import Sanic

from bot import server
from desk.connector import DeskInput
from desk.settings import DeskSettings

PROJECT = Path(__file__).resolve().parents[3]


def test_the_projects_credentials_have_the_desk_at_its_place() -> None:
    channels = server._channels(str(PROJECT / "credentials.yml"))
    (desk,) = [each for each in channels if isinstance(each, DeskInput)]
    app = Sanic("test-desk-among-channels", configure_logging=False)
    server._register([desk], app)
    paths = {f"/{route.path.lstrip('/')}" for route in app.router.routes}
    assert "/webhooks/desk/v1/sign-in" in paths


def test_proxies_are_those_of_the_desk_else_of_the_web_chat() -> None:
    assert DeskSettings.of(None, {}).proxies == 0
    assert DeskSettings.of({}, {"WEBCHAT_PROXIES": "1"}).proxies == 1
    assert DeskSettings.of({}, {"WEBCHAT_PROXIES": "1", "DESK_PROXIES": "2"}).proxies == 2
    assert DeskSettings.of({"proxies": 3}, {"DESK_PROXIES": "2"}).proxies == 3


@pytest.mark.parametrize("credentials", [{"proxies": "many"}, {"proxies": 10}, {"origins": "https://shop.example"}])
def test_what_cannot_be_is_refused_at_the_start(credentials: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="desk"):
        DeskSettings.of(credentials, {})
