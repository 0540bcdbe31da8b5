"""Memory that was freed, given back to the system at once."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Where the C library can (glibc): it keeps what was freed in small pieces, a sixth of what a training holds. Takes some
    milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
