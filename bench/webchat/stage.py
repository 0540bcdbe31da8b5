"""A small page with one widget at a time on it, served from this machine and compressed, as a web server does."""

from __future__ import annotations

import gzip
import mimetypes
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from bench.systems import HERE
from bench.webchat import own
from bench.webchat.peers import Fetched, Peer

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{head}</head><body><h1>A shop</h1><p>With a few words on its page, and a chat.</p>
{body}</body></html>
"""
STATIC = "webhooks/webchat/static"
# What a bundler would put in: React 18 has no file for pages without one that has its new way of making elements.
BUNDLED = (
    "globalThis.process = { env: { NODE_ENV: 'production' } };"
    "globalThis.ReactJsxRuntime = { Fragment: React.Fragment };"
    "ReactJsxRuntime.jsx = ReactJsxRuntime.jsxs = (type, { children, ...props }, key) =>"
    " React.createElement(type, { ...props, key }, ...(children === undefined ? [] : [].concat(children)));"
)


@dataclass(frozen=True)
class Widget:
    """files: what the page may ask for, by path. launcher, opened: as of a Peer."""

    name: str
    page: str
    launcher: Sequence[str]
    opened: Sequence[str]
    files: Mapping[str, bytes] = field(repr=False)


def ours() -> Widget:
    """As the assistant serves it, but for the server to talk to: nothing is said here."""
    files = {f"/{STATIC}/widget/{file.name}": file.read_bytes() for file in own.all_there_is() if file != own.ENTRY}
    files["/widget.js"] = own.ENTRY.read_bytes()
    files["/webhooks/webchat/v1/words/en.json"] = own.words()
    page = PAGE.format(head="", body='<script type="module" src="/widget.js"></script>')
    return Widget("Tendero", page, ("tendero-chat", ".launcher"), ("tendero-chat", "textarea"), files)


def theirs(peer: Peer, fetched: Fetched) -> Widget:
    """Scripts in the order in which they need each other, React first."""
    files = {f"/{file.name.replace('.cjs', '.js')}": file.read_bytes() for file in fetched.files}
    head = "".join(f'<link rel="stylesheet" href="{path}">' for path in files if path.endswith(".css"))
    scripts = [path for path in files if path.endswith(".js")]
    scripts.sort(key=lambda path: (not path.startswith("/react."), not path.startswith("/react-dom.")))
    shim = f"<script>{BUNDLED}</script>" if len(scripts) > 1 else ""
    kind = ' type="module"' if peer.name == "deep-chat" else ""
    *before, last = scripts
    tags = "".join(f'<script src="{path}"></script>' for path in before) + shim + f'<script{kind} src="{last}"></script>'
    page = PAGE.format(head=head, body=f"{tags}<script{kind}>{peer.snippet}</script>")
    return Widget(f"{peer.name} {fetched.version}", page, peer.launcher, peer.opened, files)


class Stage:
    """Serves what is shown at present."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer((HERE, 0), self._handler())
        self._server.daemon_threads = True

    def show(self, widget: Widget) -> str:
        """The address of the page with this widget."""
        contents = {"/": widget.page.encode(), **widget.files}
        self._content = {path: gzip.compress(content, 6) for path, content in contents.items()}
        return f"http://{HERE}:{self._server.server_port}/"

    def __enter__(self) -> Stage:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(stage) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                content = stage._content.get(path)
                self.send_response(404 if content is None else 200)
                kind = "text/html" if path == "/" else mimetypes.guess_type(Path(path).name)[0]
                self.send_header("Content-Type", kind or "application/octet-stream")
                if content is not None:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def do_POST(self) -> None:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                """Keeps the output quiet."""

        return Handler
