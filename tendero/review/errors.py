"""What a designer is told instead of what they asked for.

ReviewError
+-- CannotWrite     the example cannot be written, or taken back; the file is as it was
+-- UnknownPlace    no intent and no FAQ entry is called so
+-- NotListed       no message has this id, or it was dealt with
+-- CannotRead      a file of examples is no YAML
"""

from __future__ import annotations


class ReviewError(Exception):
    """Its message is for the designer."""


class CannotWrite(ReviewError):
    """The example cannot be written, or taken back; the file is as it was."""


class UnknownPlace(ReviewError):
    """No intent and no FAQ entry is called so; the message names those that are nearly."""


class NotListed(ReviewError):
    """No message has this id, or it was dealt with."""


class CannotRead(ReviewError):
    """A file of examples is no YAML."""
