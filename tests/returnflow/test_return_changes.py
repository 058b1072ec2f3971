"""Deliveries of a micro-batch: only where something changed, and never in the way of the day's batch."""

from __future__ import annotations

from datetime import date

import pytest
from returnflow_city import ROSTER, A, B, C, City

from huiliu import business_date
from huiliu.errors import TransientError
from returnflow.run import deliver_all, plan_returns

LAST_BATCH = (
    "select consumer_code, changes_only from ops.delivery"
    " where batch_id = (select max(batch_id) from ops.delivery) order by 1"
)


def test_only_consumers_with_changes_are_served_both_ends_of_a_move_among_them(city: City) -> None:
    city.fill(A, 1, 30)
    city.fill(B, 31, 30)
    city.deliver()
    city.put(1, B)
    result = deliver_all([ROSTER], changes_only=True)
    assert (result.delivered, result.rows_upserted, result.rows_deleted) == (2, 1, 1)
    assert city.rows(LAST_BATCH) == [(A, True), (B, True)]
    city.assert_delivered()
    assert [move[4] for move in city.moves()] == ["moved"]
    nothing = deliver_all([ROSTER], changes_only=True)
    assert nothing.waiting == []
    assert (nothing.delivered, nothing.held) == (0, 0)
    assert city.deliver().rows_upserted == 0, "the day's batch finds nothing left to do"


def test_who_was_never_served_waits_for_the_days_batch(city: City) -> None:
    city.fill(A, 1, 3)
    assert deliver_all([ROSTER], changes_only=True).delivered == 0


def test_a_held_package_is_left_alone_without_a_word(city: City) -> None:
    city.fill(A, 1, 3)
    city.deliver()
    told = city.notices(A)
    city.put(4, A)
    city.score(0.1)
    result = deliver_all([ROSTER], changes_only=True)
    assert (result.delivered, result.held, city.notices(A)) == (0, 0, told)
    city.score(1)
    with_new_day = city.conn
    business_date.set(with_new_day, date(2026, 1, 16))
    with_new_day.commit()
    outdated = deliver_all([ROSTER], changes_only=True)
    assert (outdated.delivered, outdated.waiting) == (0, [ROSTER]), "the model is of the day before"


def test_a_days_batch_between_plan_and_deliveries_is_not_touched(city: City) -> None:
    city.fill(A, 1, 3)
    city.deliver()
    city.put(4, C)
    planned = plan_returns([ROSTER])
    with pytest.raises(TransientError, match="day's batch"):
        deliver_all([ROSTER], changes_only=True)
    assert city.rows("select distinct status from ops.delivery where batch_id = %s", planned.batch_id) == [
        ("planned",)
    ]
    # A plan whose process was killed long ago is replaced by the next, of whatever kind.
    city.conn.execute("update ops.delivery set started_at = now() - interval '1 day'")
    city.conn.commit()
    assert deliver_all([ROSTER], changes_only=True).delivered == 1
    city.assert_delivered()
