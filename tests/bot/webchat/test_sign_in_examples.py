"""The lines that docs/webchat-sign-in.md gives to shops are run, and sign a customer in."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.channels.webchat import sign_in
from bot.channels.webchat.settings import WebChatSettings
from bot.channels.webchat.visitors import begin

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "webchat-sign-in.md"
SECRET = "0123456789abcdef0123456789abcdef"


def example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"no example in {language}"
    return found[1]


def by_python(number: str) -> str:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    return str(names["chat_jwt"](number, SECRET))


def by_javascript(number: str) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on this machine")
    return _said_by(
        [node, "-e", f"{example('javascript')}\nconsole.log(chatJwt(process.argv[1], process.argv[2]))", number, SECRET]
    )


def by_php(number: str) -> str:
    php = shutil.which("php")
    if php is None:
        pytest.skip("no PHP on this machine")
    # The library is not at hand: what it does in three lines.
    stand_in = (
        "namespace Firebase\\JWT; function p($v) { return rtrim(strtr(base64_encode($v), '+/', '-_'), '='); }"
        "class JWT { static function encode($claims, $secret, $alg) {"
        " $body = p(json_encode(['typ' => 'JWT', 'alg' => $alg])) . '.' . p(json_encode($claims));"
        " return $body . '.' . p(hash_hmac('sha256', $body, $secret, true)); } }"
    )
    ours = example("php").replace("Firebase\\JWT\\JWT", "\\Firebase\\JWT\\JWT")
    return _said_by([php, "-r", f"{stand_in} {ours} echo chat_jwt($argv[1], $argv[2]);", "--", number, SECRET])


def _said_by(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.mark.parametrize("made", [by_python, by_javascript, by_php])
def test_example_signs_the_customer_in(session: Session, made: Any) -> None:
    now = datetime.now(timezone.utc)
    settings = WebChatSettings(jwt_secret=SECRET)
    visitor = begin(session, "https://shop.example", "es", now)
    first, second = made("C-10001"), made("C-10001")
    assert sign_in.show(session, visitor, first, settings, datetime.now(timezone.utc)).customer == "C-10001"
    another = begin(session, "https://shop.example", "es", now)
    assert sign_in.show(session, another, second, settings, datetime.now(timezone.utc)).customer == "C-10001"
