"""The fixtures of these tests; those of the page in a browser have them, too."""

from tests.tendero.simulator.fixtures import _both, emma, shop, whatsapp

__all__ = ["_both", "emma", "shop", "whatsapp"]
