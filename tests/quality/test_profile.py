"""Profiles and alarms on a real PostgreSQL: figures as pandas has them, alarms that stop nothing."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from drift_series import NULLS, QUANTILES, ROWS, SHARES
from toy_source import ToySource, people, person
from typer.testing import CliRunner

from huiliu import business_date
from huiliu.cli import app
from huiliu.database import connect
from huiliu.errors import ConfigError, DataError
from soda_checks.gate import gate_staging
from soda_checks.profiles import ledger as profile_ledger
from soda_checks.profiles import review as profile_review
from soda_checks.profiles.alarm import Limits
from soda_checks.score import score

TODAY = date(2026, 1, 15)
Figures = dict[tuple[str, str], tuple[float | None, dict[str, float] | None]]


@pytest.fixture
def measured(toy: ToySource) -> tuple[pd.DataFrame, Figures]:
    """A table of 5,000 rows with its profile."""
    random = np.random.default_rng(20260115)
    rows = 5000
    born = [TODAY - timedelta(days=int(days)) for days in random.integers(0, 30_000, rows)]
    frame = pd.DataFrame(
        {
            "status": random.choice(["1", "2", "9"], rows, p=[0.9, 0.0996, 0.0004]),
            "sex": random.choice(["男", "女"], rows, p=[0.52, 0.48]),
            "amount": random.lognormal(7, 0.8, rows).round(2),
            "born_on": born,
            "name": random.choice(["王明", "王小明", "欧阳小明"], rows, p=[0.3, 0.6, 0.1]),
            "pid": [f"{number:018d}" for number in range(rows)],
            "paid_at": [pd.Timestamp(day).isoformat() for day in born],
            "opens_at": "08:00:00",
            "is_usable": random.random(rows) < 0.9,
            "reported_on": TODAY - timedelta(days=3),
            "serial_no": range(rows),
        }
    )
    frame.loc[random.random(rows) < 0.13, "amount"] = np.nan
    toy.connection.execute(
        "create table base.toy_person"
        " (status text, sex text, amount numeric, born_on date, name text, pid text, paid_at timestamptz,"
        " opens_at time, is_usable boolean, reported_on date, serial_no integer, nothing text,"
        " _row_key text);"
        "comment on column base.toy_person.status is '状态｜分级：内部｜数源部门：市公安局';"
        "comment on column base.toy_person.sex is '性别｜分级：敏感';"
        "comment on column base.toy_person.name is '姓名｜分级：敏感'"
    )
    with toy.connection.cursor() as cursor, cursor.copy(
        f"copy base.toy_person ({', '.join(frame.columns)}) from stdin"
    ) as copy:  # fmt: skip
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
            copy.write_row(row)
    toy.connection.execute("analyze base.toy_person")
    figures = toy.connection.execute(
        "select * from quality.profile_of('base.toy_person', 'base.toy_person', %s, %s)", (rows, TODAY)
    ).fetchall()
    return frame, {(column, measure): (value, parts) for column, measure, value, parts in figures}


def test_counts_are_those_of_pandas(measured: tuple[pd.DataFrame, Figures]) -> None:
    frame, figures = measured
    for column in frame:
        assert figures[column, "null_share"][0] == pytest.approx(frame[column].isna().mean(), abs=1e-6)
        assert figures[column, "distinct_count"][0] == frame[column].nunique()
    assert figures["nothing", "null_share"][0] == 1
    assert not [key for key in figures if key[0] == "_row_key"]


def test_distributions_are_those_of_pandas(measured: tuple[pd.DataFrame, Figures]) -> None:
    frame, figures = measured
    shares = frame["status"].value_counts(normalize=True)
    values = figures["status", "values"][1]
    # Two rows with a value are told as others: a value of so few may point at somebody.
    assert values == pytest.approx({"1": shares["1"], "2": shares["2"], "其他": shares["9"]}, abs=1e-5)
    by_size = frame["sex"].value_counts(normalize=True)
    assert figures["sex", "ranks"][1] == pytest.approx({"1": by_size.iloc[0], "2": by_size.iloc[1]}, abs=1e-5)
    lengths = frame["name"].str.len().value_counts(normalize=True)
    assert figures["name", "forms"][1] == pytest.approx(
        {f"汉字{length}": lengths[length] for length in (2, 3, 4)}, abs=1e-5
    )
    assert figures["pid", "forms"][1] == {"数字18": 1}
    for part, number in (figures["amount", "quantiles"][1] or {}).items():
        # As a share of the rows: the histogram has a bound at each hundredth of them.
        assert (frame["amount"].dropna() <= number).mean() == pytest.approx(float(part) / 100, abs=0.015)
    for column in ("born_on", "paid_at"):
        ages = figures[column, "ages"][1] or {}
        recent = {"一周内", "一月内", "三月内", "一年内", "两年内", "五年内", "十年内"}
        born = pd.to_datetime(frame["born_on"])
        assert sum(share for age, share in ages.items() if age in recent) == pytest.approx(
            (born > pd.Timestamp(TODAY) - pd.DateOffset(years=10)).mean(), abs=0.02
        )


def test_what_moves_on_by_itself_has_no_distribution_that_could_shift(
    measured: tuple[pd.DataFrame, Figures],
) -> None:
    _, figures = measured
    kept = {key for key, (_, parts) in figures.items() if parts is not None}
    assert {key for key in kept if key[0] == "reported_on"} == {("reported_on", "ages")}
    assert not [key for key in kept if key[0] == "serial_no"]


def test_no_value_of_a_person_is_kept(measured: tuple[pd.DataFrame, Figures]) -> None:
    _, figures = measured
    kept = {
        part for column, _ in figures for key in figures if key[0] == column for part in figures[key][1] or ()
    }
    assert not kept & {"男", "女", "王明", "王小明", "欧阳小明", "9"}
    assert [key for key in figures if key[1] == "values"] == [("status", "values")]


def _days(toy: ToySource, count: int, **changes: str | None) -> list[int]:
    """So many days with a batch of 60 people each, gated day by day."""
    batches = []
    for _ in range(count):
        today = business_date.get(toy.connection) + timedelta(days=1)
        business_date.set(toy.connection, today)
        batch = toy.land([person(number, **changes) for number in range(1, 61)], op="U")
        toy.connection.execute(
            "update ops.load_run set business_date = %s where batch_id = %s", (today, batch)
        )
        gate_staging(toy.contracts)
        batches.append(batch)
    return batches


def test_a_sudden_change_is_alarmed_once_and_stops_nothing(toy: ToySource) -> None:
    usual = _days(toy, 9)
    assert profile_review.alarms() == []
    changed = _days(toy, 12, name=None)
    raised = [
        alarm
        for alarm in profile_review.alarms()
        if (alarm.column_name, alarm.measure) == ("name", "null_share")
    ]
    assert [alarm.batch_id for alarm in raised] == [changed[0]]
    assert raised[0].reason == "name 空值率：100.0%，常态约 0.0%（0.0% 至 6.5%），比照同星期批次"
    assert set(toy.gate_status().values()) == {"passed"}
    assert usual[-1] < changed[0]


def test_an_alarm_is_a_line_of_the_verdict_and_is_acknowledged_by_name(toy: ToySource) -> None:
    _days(toy, 9)
    toy.land(people(1, 600), op="U")
    (verdict,) = gate_staging(toy.contracts).batches
    assert verdict.status == "passed"
    assert verdict.drift[0].startswith("行数：600，常态约 60（")
    (alarm, *_) = reversed(profile_review.alarms())
    for by, why in (("王工", " "), ("", "年度补报")):
        with pytest.raises(ConfigError, match="with a name and a reason"):
            profile_review.acknowledge([alarm.alarm_id], by=by, reason=why)
    with pytest.raises(DataError, match="Alarm 0 is not open; none was"):
        profile_review.acknowledge([alarm.alarm_id, 0], by="王工", reason="年度补报")
    asked = ["drift", "--acknowledge", str(alarm.alarm_id), "--by", "王工", "--reason", "年度补报"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    with pytest.raises(DataError, match="is not open"):
        profile_review.acknowledge([alarm.alarm_id], by="王工", reason="再次")
    assert alarm.alarm_id not in [it.alarm_id for it in profile_review.alarms()]
    (noted,) = [it for it in profile_review.alarms(every=True) if it.alarm_id == alarm.alarm_id]
    assert (noted.acknowledged_by, noted.acknowledged_reason) == ("王工", "年度补报")


def test_a_held_batch_is_no_norm_and_gating_it_again_changes_nothing(toy: ToySource) -> None:
    _days(toy, 8)
    _days(toy, 1, pid="x")
    once = toy.connection.execute("select * from quality.drift_alarm").fetchall()
    assert once
    alarmed = [alarm.alarm_id for alarm in profile_review.alarms()]
    profile_review.acknowledge(alarmed, by="王工", reason="已问数源")
    gate_staging(toy.contracts)
    assert profile_review.alarms() == []
    assert len(toy.connection.execute("select * from quality.drift_alarm").fetchall()) == len(once)
    with connect("warehouse:score") as connection:
        (held,) = connection.execute(
            "select max(batch_id) from ops.batch_gate where status = 'held'"
        ).fetchone() or (0,)
        batch = profile_ledger.Batch(
            held + 1, toy.contract.table_name, "toy", "staging_gate", "snapshot", TODAY, 60
        )
        assert held not in profile_ledger.past(connection, batch).days


def test_small_batches_tell_their_rows_and_no_more(toy: ToySource) -> None:
    batch = toy.land(people(1, 29))
    gate_staging(toy.contracts)
    kept = toy.connection.execute(
        "select batch_id, column_name, measure, value from quality.profile"
    ).fetchall()
    assert kept == [(batch, "", "rows", 29)]


def test_scoring_profiles_the_whole_table_and_forgets_what_is_old(toy: ToySource) -> None:
    toy.land(people(1, 400))
    toy.merge()
    # Too few changes since the last ANALYZE for autovacuum to come by.
    toy.connection.execute(
        "analyze staging.stg_toy__person;"
        " update staging.stg_toy__person set name = null where person_id in ('7', '8')"
    )
    toy.connection.execute(
        "create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    first = score(toy.contracts)
    kept = dict(
        toy.connection.execute(
            "select measure, value from quality.profile"
            " where batch_id = %s and column_name in ('', 'person_id') and value is not null",
            (first.batch_id,),
        ).fetchall()
    )
    assert kept == {"rows": 400, "null_share": 0, "distinct_count": 400}
    assert _share_of_nulls(toy, "name") == pytest.approx(2 / 400)
    business_date.set(toy.connection, TODAY + timedelta(days=1201))
    second = score(toy.contracts)
    assert toy.connection.execute("select batch_id from quality.profile_batch").fetchall() == [
        (second.batch_id,)
    ]


def _share_of_nulls(toy: ToySource, column: str) -> float:
    (share,) = toy.connection.execute(
        "select value from quality.profile where column_name = %s and measure = 'null_share'", (column,)
    ).fetchone() or (None,)
    return float(share)


def test_columns_that_no_rule_reads_are_profiled_as_they_came(toy: ToySource) -> None:
    toy.connection.execute("alter table raw.toy__person add remark text")
    batch = toy.land(people(1, 50))
    toy.connection.execute(
        "update raw.toy__person set remark = case when person_id::int <= 20 then '  ' else '张三' end"
    )
    gate_staging(toy.contracts)
    assert _share_of_nulls(toy, "remark_raw") == pytest.approx(20 / 50)
    kept = toy.connection.execute(
        "select measure, parts from quality.profile where batch_id = %s and column_name = 'remark_raw'"
        " and parts is not null order by measure",
        (batch,),
    ).fetchall()
    # By their form and in the order of their shares; no value, as no dictionary calls the column open.
    assert kept == [("forms", {"汉字2": 1}), ("ranks", {"1": 1})]
    columns = {
        column for (column,) in toy.connection.execute("select column_name from quality.profile").fetchall()
    }
    # Of a column that a rule reads both ways, the typed one.
    assert "pid" in columns
    assert "pid_raw" not in columns


def test_thresholds_are_rows_and_the_more_particular_one_holds(toy: ToySource) -> None:
    toy.connection.execute(
        "insert into quality.drift_threshold values"
        " ('rows', '', 'staging.stg_toy__person', '2026-01-01', '2026-02-01', 9, 9, 9, 9, 9)"
    )
    try:
        assert _limits(toy, TODAY)["rows"] == Limits(9, 9, 9, 9, 9)
        later = _limits(toy, date(2026, 2, 1))
    finally:
        toy.connection.execute("delete from quality.drift_threshold where spreads = 9")
    # The generated series are judged by the very thresholds of the warehouse.
    assert later["rows"] == ROWS
    assert later["null_share"] == NULLS
    assert {later[name] for name in ("values", "ranks", "ages", "forms")} == {SHARES}
    assert later["quantiles"] == QUANTILES


def _limits(toy: ToySource, day: date) -> dict[str, Limits]:
    batch = profile_ledger.Batch(1, toy.contract.table_name, "toy", "staging_gate", "snapshot", day, 60)
    return profile_ledger.limits(toy.connection, batch)
