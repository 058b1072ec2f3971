"""Only what is of the day leaves: no verdict of the future, and none of yesterday as today's."""

from __future__ import annotations

from datetime import date

import pytest
from returnflow_city import ROSTER, A, City

from huiliu import business_date
from huiliu.database import advisory_lock, connect
from returnflow.run import deliver_database, plan_returns

VETERANS = "veteran_subsidy"
MODEL = "return_veteran_subsidy"
ROSTER_MODEL = "return_resident_roster"
NOTICE = "模型未更新，沿用上次数据"
TODAY = "2026-01-15"


def error_of_last(city: City, package: str = VETERANS) -> str:
    rows = city.rows(
        "select distinct error from ops.delivery where package = %s and status = 'held'"
        " and batch_id = (select max(batch_id) from ops.delivery)",
        package,
    )
    return "; ".join(str(row[0]) for row in rows)


@pytest.fixture
def served(city: City) -> City:
    """A city whose one veteran was delivered as not met; the model says met by now."""
    city.verdict(1, (A, A[:6]), "not_met")
    city.deliver(VETERANS)
    city.verdict(1, (A, A[:6]), "met")
    return city


def verdict_at(city: City) -> object:
    return next(row for row in city.held(A, VETERANS))[8]


def test_a_look_ahead_is_held_and_goes_out_after_a_build_of_the_day(served: City) -> None:
    served.build("2027-01-01")
    result = served.deliver(VETERANS)
    assert (result.delivered, result.held, result.failed) == (0, 7, 0)
    assert verdict_at(served) == "not_met"
    assert served.notices(A)[-1] == (VETERANS, None, NOTICE)
    assert error_of_last(served) == (
        f"{MODEL} is of 2027-01-01, the batch is of {TODAY}."
        ' Fix: run "huiliu build", mend what fails there, score and return again'
    )
    served.build(TODAY)
    assert served.deliver(VETERANS).delivered == 7
    served.assert_delivered(VETERANS)


def test_a_model_skipped_today_is_held_alone(served: City) -> None:
    business_date.set(served.conn, date(2026, 1, 16))
    served.build("2026-01-16", ROSTER_MODEL, status="failed")
    result = served.deliver(ROSTER, VETERANS)
    assert (result.delivered, result.held) == (4, 7)
    assert f"{MODEL} is of {TODAY}, the batch is of 2026-01-16" in error_of_last(served)


@pytest.mark.parametrize("status", ["failed", "abandoned"])
def test_a_model_left_behind_by_a_later_build_of_the_day_is_held(served: City, status: str) -> None:
    served.build(TODAY, ROSTER_MODEL, status=status)
    assert served.deliver(VETERANS).held == 7
    assert f"{MODEL} was left as it was by build" in error_of_last(served)
    assert verdict_at(served) == "not_met"


def test_a_build_of_other_models_holds_nothing(served: City) -> None:
    served.build(TODAY, "metrics_x", selection="tag:metrics")
    assert served.deliver(VETERANS).delivered == 7


def test_a_model_built_alone_stands_on_a_whole_build_of_the_day(served: City) -> None:
    served.build(TODAY, MODEL, selection=MODEL)
    assert served.deliver(VETERANS).delivered == 7
    served.build("2027-01-01")
    served.build(TODAY, MODEL, selection=MODEL)
    assert served.deliver(VETERANS).held == 7
    assert f"{MODEL} was built alone since, on models of build" in error_of_last(served)


def test_a_build_under_way_holds_nothing_but_a_killed_one_does(served: City) -> None:
    served.build(TODAY, status="running")
    with connect("warehouse:build") as builder, advisory_lock(builder, "build"):
        assert served.deliver(VETERANS).delivered == 7
    assert served.deliver(VETERANS).held == 7
    assert "(running)" in error_of_last(served)


def test_a_model_never_built_is_held_and_the_fix_is_one_that_builds_it(served: City) -> None:
    served.conn.execute("delete from ops.model_state where model = %s", [MODEL])
    served.conn.commit()
    assert served.deliver(VETERANS).held == 7
    assert f"{MODEL} was never built" in error_of_last(served)
    assert '"huiliu build --full-refresh"' in error_of_last(served)


def test_the_service_report_is_of_no_day(city: City) -> None:
    city.build("2027-01-01")
    assert city.deliver("service_report").delivered == 7


@pytest.mark.parametrize(
    ("as_of", "built", "status"),
    [("2027-01-01", (ROSTER_MODEL, MODEL), "succeeded"), (TODAY, (ROSTER_MODEL,), "failed")],
)
def test_a_planned_batch_is_judged_again_before_it_leaves(
    served: City, as_of: str, built: tuple[str, ...], status: str
) -> None:
    planned = plan_returns([VETERANS])
    served.build(as_of, *built, status=status)
    assert deliver_database("370602", planned.batch_id).held == 3
    assert verdict_at(served) == "not_met"
    assert served.notices(A)[-1] == (VETERANS, None, NOTICE)
    assert MODEL in error_of_last(served)
    assert deliver_database("370602", planned.batch_id).held == 0
    served.build(TODAY)
    assert served.deliver(VETERANS).delivered == 7
    served.assert_delivered(VETERANS)


def test_a_batch_of_yesterday_takes_nothing_of_today(served: City) -> None:
    planned = plan_returns([VETERANS])
    business_date.set(served.conn, date(2026, 1, 16))
    served.build("2026-01-16")
    assert deliver_database("370602", planned.batch_id).held == 3
    assert f"{MODEL} is of 2026-01-16, the batch is of {TODAY}" in error_of_last(served)


def test_a_batch_taken_up_after_midnight_keeps_its_date(served: City) -> None:
    planned = plan_returns([VETERANS])
    business_date.set(served.conn, date(2026, 1, 16))
    served.conn.commit()
    assert deliver_database("370602", planned.batch_id).delivered == 3
    with connect(f"front:{A}") as conn:
        row = conn.execute("select business_date from _delivery order by batch_id desc limit 1").fetchone()
    assert row == (date(2026, 1, 15),)
