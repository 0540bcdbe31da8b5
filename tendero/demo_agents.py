"""Two people who answer in the demo shop, so that its desk can be tried; never in a real one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from database import transaction
from desk import accounts, passwords
from desk.models import Agent

PASSWORD_FILE = "desk-password"  # noqa: S105 (the name of the file below TENDERO_HOME)
PEOPLE = {"marta": ("Marta", "supervisor"), "luis": ("Luis", "agent")}


def make(home: Path, url: str, now: datetime) -> Path | None:
    """The file with their password; they are made where nobody is there yet. None: the shop has people of its own."""
    file = home / PASSWORD_FILE
    with transaction(url) as session:
        if session.execute(select(Agent.id).limit(1)).first() is not None:
            return file if file.is_file() else None
        password = _kept(file)
        for sign_in_name, (name, role) in PEOPLE.items():
            accounts.create(session, name=name, sign_in_name=sign_in_name, role=role, password=password, now=now)
    return file


def _kept(file: Path) -> str:
    """One that is there is theirs, too: its database was taken away."""
    if not file.is_file():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(passwords.generated() + "\n")
    return file.read_text(encoding="ascii").strip()
