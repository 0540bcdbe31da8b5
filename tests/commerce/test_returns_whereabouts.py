"""Where a line's pieces are: all lines of an order at once say what each says by itself."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from commerce.models import Order
from commerce.returns.quantities import delivered_at, pieces_arrived, pieces_back, pieces_left, whereabouts


def test_lines_at_once_are_as_each_by_itself(demo: Session) -> None:
    orders = demo.execute(select(Order)).scalars().all()
    assert len(orders) > 50
    found = {order.id: whereabouts(demo, order) for order in orders}
    for order in orders:
        for line in order.lines:
            pieces = found[order.id][line.id]
            alone = (pieces_arrived(demo, line), pieces_back(demo, line), delivered_at(demo, line), pieces_left(demo, line))
            assert (pieces.arrived, pieces.back, pieces.delivered_at, pieces.left) == alone
    everywhere = [pieces for lines in found.values() for pieces in lines.values()]
    assert any(pieces.back for pieces in everywhere)
    assert any(pieces.arrived == 0 for pieces in everywhere)
    assert any(pieces.was_exchanged for pieces in everywhere)
