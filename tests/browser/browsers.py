"""A Chromium or Chrome for the tests: one that is there, Debian's, or Playwright's own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
INSTALLS_WITHIN = 600  # seconds


def find() -> str | None:
    """Its path, where there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None) or _playwrights_own()


def find_or_install() -> str | None:
    """The same, brought where there is none. One process brings it; those that want it, too, wait for that."""
    if (found := find()) is not None:
        return found
    with (Path(tempfile.gettempdir()) / f"tendero-browser-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return find() or _install()


def _install() -> str | None:
    with_apt = os.geteuid() == 0 and shutil.which("apt-get") is not None
    apt = (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]) if with_apt else ()
    for commands in (apt, ([sys.executable, "-m", "playwright", "install", "chromium"],)):
        if commands and all(_succeeds(command) for command in commands) and (found := find()) is not None:
            return found
    return None


def _succeeds(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=environment, capture_output=True, timeout=INSTALLS_WITHIN, check=True)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def _playwrights_own() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None
