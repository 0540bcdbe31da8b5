"""PostgreSQL's notifications, for whoever waits for them on an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from sqlalchemy.engine import make_url

from database import default_url, patience_of


@asynccontextmanager
async def notices_of(channel: str) -> AsyncIterator[AsyncIterator[str]]:
    """What is told on this channel from the moment on in which the context begins. Raises psycopg.Error, OSError."""
    url = default_url()
    patient = make_url(url).update_query_dict({name: str(value) for name, value in patience_of(url).items()})
    conninfo = patient.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(f"LISTEN {channel}")
        yield (notice.payload async for notice in connection.notifies())
