"""Python's garbage collector looks through everything again and again; what a server has loaded never becomes garbage."""

from __future__ import annotations

import gc

NEW_OBJECTS = 10_000  # until the youngest are looked through: a turn makes several thousand


def leave_out_what_is_loaded() -> None:
    """When a server is ready, and when it has loaded something anew: from then on only what came later is looked through."""
    gc.unfreeze()  # what was left out before may be garbage by now
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
