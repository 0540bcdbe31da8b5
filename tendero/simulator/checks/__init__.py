"""What Meta checks of every send before it takes it, one module a kind of message: without any state."""

from tendero.simulator.checks.message import Send, read

__all__ = ["Send", "read"]
