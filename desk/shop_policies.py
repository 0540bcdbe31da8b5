"""The shop's policies, read once for the desk."""

from __future__ import annotations

from commerce.policies import Policies, load_policies
from messaging.kept import kept
from messaging.labels import data_folder


@kept
def kept_policies() -> Policies:
    """Those of `data/policies`. Raises what `load_policies` raises."""
    return load_policies(data_folder() / "policies")
