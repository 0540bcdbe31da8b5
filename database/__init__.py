"""The database: one engine for one URL, transactions at the edge, and the tables' common ground."""

from database.base import Base, UTCDateTime
from database.engine import default_url, engine_for, home_folder, patience_of, rows_changed, session_factory, transaction

__all__ = [
    "Base",
    "UTCDateTime",
    "default_url",
    "engine_for",
    "home_folder",
    "patience_of",
    "rows_changed",
    "session_factory",
    "transaction",
]
