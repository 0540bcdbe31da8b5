"""How much a page has to load for a chat: ours and others from npm, side by side: `python -m bench.webchat.bundles`.

Packages are fetched by `npm pack` into a temporary folder, each in its newest version; nothing of them is run. Bytes are those of
the files as they lie in the package, and compressed each by itself with gzip -6, as a web server would send them.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.webchat import own
from bench.webchat.peers import PEERS, NotToBeHad, fetch

LEVEL = 6
FIRST_PAINT_MOST = 20 * 1024  # bytes, compressed


@dataclass(frozen=True)
class Size:
    name: str
    files: int
    raw: int  # bytes
    gzipped: int
    why: str

    @property
    def row(self) -> str:
        return f"{self.name:34} {self.files:5} {self.raw / 1024:8.1f} {self.gzipped / 1024:8.1f}   {self.why}"


def main() -> None:
    print(f"{'':34} {'files':>5} {'raw':>8} {'gzipped':>8}   KB")
    for size in own_sizes():
        print(size.row)
    with tempfile.TemporaryDirectory(prefix="tendero-peers-") as folder:
        for peer in PEERS:
            try:
                fetched = fetch(peer, Path(folder))
            except NotToBeHad as error:
                print(f"{peer.name:34} {'':23}   not measured: {error}")
                continue
            contents = [file.read_bytes() for file in fetched.files]
            print(_size(f"{peer.name} {fetched.version}", contents, f"{_named(fetched.files)}: {peer.why}").row)


def own_sizes() -> list[Size]:
    words = own.words()
    first = _contents(own.at_first_paint())
    opened, everything = ([*_contents(files), words] for files in (own.when_opened(), own.all_there_is()))
    return [
        _size("Tendero: launcher", first, f"at first paint; at most {FIRST_PAINT_MOST // 1024} gzipped"),
        _size("Tendero: open panel", opened, "with the words; fetched while the page is idle"),
        _size("Tendero: everything", everything, "with what few need: uploads, transcript, ..."),
    ]


def _contents(files: Iterable[Path]) -> list[bytes]:
    return [file.read_bytes() for file in files]


def _size(name: str, contents: list[bytes], why: str) -> Size:
    gzipped = sum(len(gzip.compress(content, LEVEL)) for content in contents)
    return Size(name, len(contents), sum(map(len, contents)), gzipped, why)


def _named(files: Iterable[Path]) -> str:
    return " + ".join(file.name for file in files)


if __name__ == "__main__":
    main()
