"""The test shop itself: each state can be built."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.commerce.shop import STATES, Shop


@pytest.mark.parametrize("status", list(STATES))
def test_an_order_can_be_built_in_every_state(session: Session, status: str) -> None:
    shop = Shop(session)
    order = shop.order(shop.customer(), {"SHI-OXF-BLU-M": 2, "SHO-CIT-WHI-40": 1}, status=status)
    session.expire_all()
    assert (order.status, order.total_minor) == (status, 16000)
    assert order.fulfilments[0].status == STATES[status][0]
