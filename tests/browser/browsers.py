"""A Chromium or Chrome for the tests: one that is there, Debian's, or Playwright's own.

Best is Debian's Chromium without a window's parts: a page of it starts in half the time. What it shows is the same.
"""

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
SHELL = "chromium-headless-shell"
INSTALLS_WITHIN = 600  # seconds


def find() -> str | None:
    """Its path, where there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None) or _playwrights_own()


def find_or_install() -> str | None:
    """The same, brought where there is none. One process brings it; those that want it, too, wait for that."""
    if (shell := shutil.which(SHELL)) is not None:
        return shell
    with (Path(tempfile.gettempdir()) / f"tendero-browser-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return shutil.which(SHELL) or _install_shell() or find() or _install()


def _install_shell() -> str | None:
    """Where Debian's lists are at hand."""
    _by_apt(["install", "-y", "--no-remove", "--no-install-recommends", SHELL])
    return shutil.which(SHELL)


def _install() -> str | None:
    if _by_apt(["update"]):
        if (shell := _install_shell()) is not None:
            return shell
        _by_apt(["install", "-y", "--no-install-recommends", "chromium"])
    if find() is None:
        _succeeds([sys.executable, "-m", "playwright", "install", "chromium"])
    return find()


def _by_apt(arguments: list[str]) -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and _succeeds(["apt-get", *arguments])


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
