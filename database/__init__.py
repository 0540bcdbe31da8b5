"""The database: one engine for one URL, transactions at the edge, and the tables' common ground."""

from database.base import Base, UTCDateTime
from database.engine import default_url, engine_for, home_folder, patience_of, rows_changed, session_factory, transaction
from database.overtaken import despite_others, is_overtaken

__all__ = [
    "Base",
    "UTCDateTime",
    "default_url",
    "despite_others",
    "engine_for",
    "home_folder",
    "is_overtaken",
    "patience_of",
    "rows_changed",
    "session_factory",
    "transaction",
]
