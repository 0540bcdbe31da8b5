"""What actions read once, read before the first shopper writes: else that one would wait for it, and be told it took too long."""

from __future__ import annotations

import logging

from actions import faq, handoff, mailing, shop, words

logger = logging.getLogger(__name__)


def read_ahead() -> None:
    """Policies, answers, calendars, mail and labels. What cannot be read is told by the action that needs it."""
    for read in (shop.policies, faq.read_ahead, handoff.support_calendar, mailing.read_ahead, words.read_ahead):
        try:
            read()
        except Exception as error:
            logger.warning("not read ahead: %s", error)
