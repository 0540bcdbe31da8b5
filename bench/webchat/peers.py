"""Other chat widgets, fetched from npm by their names, and what of them a page has to load."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NPM_WITHIN = 300.0  # seconds


class NotToBeHad(Exception):
    """A package that npm does not give; `str()` says why in a line."""


@dataclass(frozen=True)
class Part:
    """A package, and the files of it that a page loads; without files, the one that its package.json names for browsers."""

    package: str  # as `npm pack` takes it
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Peer:
    """A chat widget.

    snippet: what its README has a page say, without a server; None: it was not tried. launcher, opened: selectors, each within
    the one before, through shadow roots; opened is what one writes into after a tap on the launcher.
    """

    name: str
    parts: Sequence[Part]
    why: str  # these files
    snippet: str | None = None
    launcher: Sequence[str] = ()
    opened: Sequence[str] = ()


PEERS = (
    Peer(
        "@rasahq/chat-widget",
        (Part("@rasahq/chat-widget"),),
        "the file that its package.json names for browsers",
    ),
    Peer(
        "rasa-webchat",
        (Part("rasa-webchat", ("lib/index.js",)),),
        "the file that its README has in a <script>; React is in it",
        "WebChat.default("
        "{ socketUrl: location.origin, hideWhenNotConnected: false, connectOn: 'open', withRules: false }, null);",
        (".rw-launcher",),
        (".rw-new-message",),
    ),
    Peer(
        "deep-chat",
        (Part("deep-chat", ("dist/deepChat.bundle.js",)),),
        "its one file for pages without a bundler; it has no launcher: the chat itself stands in the page",
        "const chat = document.createElement('deep-chat'); chat.setAttribute('demo', 'true'); document.body.append(chat);",
        ("deep-chat", "#text-input"),
    ),
    Peer(
        "@botpress/webchat",
        (
            Part("@botpress/webchat", ("dist/index.umd.cjs", "dist/style.css")),
            Part("react@18", ("umd/react.production.min.js",)),
            Part("react-dom@18", ("umd/react-dom.production.min.js",)),
        ),
        "the library and its style; React, without which it does not run. Its button alone was tried: the chat needs its cloud",
        "const root = document.createElement('div'); root.style.cssText = 'width: 64px; height: 64px';"
        "document.body.append(root);"
        "ReactDOM.createRoot(root).render(React.createElement(Webchat.Fab));",
        (".bpFabIcon",),
    ),
)


@dataclass(frozen=True)
class Fetched:
    version: str
    files: Sequence[Path]


def fetch(peer: Peer, folder: Path) -> Fetched:
    """Raises NotToBeHad."""
    fetched = [_fetch_part(part, folder) for part in peer.parts]
    return Fetched(fetched[0].version, [file for each in fetched for file in each.files])


def _fetch_part(part: Part, folder: Path) -> Fetched:
    where = folder / part.package.strip("@").replace("/", "-")
    where.mkdir()
    archive = _pack(part.package, where)
    with tarfile.open(archive) as packed:
        packed.extractall(where, filter="data")
    package = where / "package"
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))
    files = [package / name for name in part.files or _for_browsers(told)]
    if missing := [str(file.relative_to(package)) for file in files if not file.is_file()]:
        raise NotToBeHad(f"{part.package} {told['version']} has no {', '.join(missing)} any more")
    return Fetched(told["version"], files)


def _pack(package: str, where: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotToBeHad("npm is not installed")
    command = [npm, "pack", package, "--loglevel=error"]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=NPM_WITHIN)
    if done.returncode:
        is_unknown = "E404" in done.stderr + done.stdout
        raise NotToBeHad("npm has no package of this name" if is_unknown else f"npm failed: {done.stderr.strip()[:80]}")
    return where / done.stdout.split()[-1]


def _for_browsers(told: dict[str, object]) -> list[str]:
    named = [told.get(key) for key in ("unpkg", "jsdelivr", "browser", "main")]
    return [next(str(name) for name in named if isinstance(name, str))]
