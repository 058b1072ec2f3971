"""Demand tasks: struck off by an accepted load and by nothing else. The ledgers are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from huiliu import business_date
from huiliu.database import connect
from huiliu.errors import ConfigError
from ingestion.demands import DemandList, Task, load_lists, settle
from ingestion.spec import load_specs

DAY = date(2026, 1, 20)


def demand_list(name: str = "round_1", issued_on: str = "2026-01-10", **item: object) -> DemandList:
    """A list of one item that asks for one resource."""
    demand = {
        "item": 1,
        "what": "核对",
        "lead_department": "市民政局",
        "due_on": "2026-01-31",
        "resources": [{"id": "depot.stock", "from": "市粮食局"}],
        **item,
    }
    return DemandList.model_validate(
        {"name": name, "title": name, "issued_on": issued_on, "demands": [demand]}
    )


@dataclass
class Ledger:
    """Loads of depot.stock as the ledgers have them."""

    conn: psycopg.Connection[Any]

    def load(
        self,
        *,
        gate: str | None = "passed",
        status: str = "landed",
        rows: int | None = 10,
        quarantined: int = 0,
        day: date = DAY,
        manifest: bool | None = None,
        table: str = "stock",
        first_day: date | None = None,
    ) -> int:
        row = self.conn.execute(
            "insert into ops.load_run"
            " (source, table_name, mode, business_date, status, rows_read, rows_quarantined, first_day)"
            " values ('depot', %s, 'snapshot', %s, %s, %s, %s, %s) returning batch_id",
            [table, day, status, rows, quarantined, first_day],
        ).fetchone()
        assert row is not None
        batch = int(row[0])
        if gate is not None:
            self.decide(batch, gate)
        if manifest is not None:
            self.conn.execute(
                "insert into ops.manifest (batch_id, what, matches) values (%s, 'stock.json', %s)",
                [batch, manifest],
            )
        return batch

    def decide(self, batch: int, gate: str) -> None:
        self.conn.execute(
            "insert into ops.batch_gate (batch_id, status, decided_by) values (%s, %s, '检验')"
            " on conflict (batch_id) do update set status = excluded.status",
            [batch, gate],
        )


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    with connect("warehouse", autocommit=True) as conn:
        business_date.set(conn, DAY)
        conn.execute("delete from ops.demand_task")
        yield Ledger(conn)
        conn.execute("delete from ops.demand_task")
        mine = "(select batch_id from ops.load_run where source = 'depot')"
        conn.execute(f"delete from ops.manifest where batch_id in {mine}")  # noqa: S608 - a constant
        conn.execute(f"delete from ops.batch_gate where batch_id in {mine}")  # noqa: S608 - a constant
        conn.execute("delete from ops.load_run where source = 'depot'")


def only(tasks: list[Task]) -> Task:
    assert len(tasks) == 1
    return tasks[0]


@pytest.mark.parametrize("gate", ["passed", "released"])
@pytest.mark.parametrize("manifest", [None, True])
def test_a_load_that_passed_or_was_released_strikes_the_task_off(
    ledger: Ledger, gate: str, manifest: bool | None
) -> None:
    assert only(settle([demand_list()])).state == "open"
    batch = ledger.load(gate=gate, manifest=manifest)
    task = only(settle([demand_list()]))
    assert (task.state, task.closed_by_batch, task.closed_on) == ("closed", batch, DAY)


@pytest.mark.parametrize(
    "load",
    [
        {"gate": None},
        {"gate": "held"},
        {"gate": "replaced"},
        {"gate": None, "status": "failed", "rows": None},
        {"gate": None, "status": "abandoned", "rows": None},
        {"gate": None, "status": "running", "rows": None},
        {"rows": 0},
        {"rows": 10, "quarantined": 10},
        {"manifest": False},
        {"day": date(2026, 1, 9)},
        {"table": "other"},
        {"first_day": date(2026, 1, 1)},
    ],
    ids=lambda load: " ".join(f"{key}={value}" for key, value in load.items()),
)
def test_no_other_load_does(ledger: Ledger, load: dict[str, Any]) -> None:
    ledger.load(**load)
    task = only(settle([demand_list()]))
    assert (task.state, task.closed_by_batch) == ("open", None)


def test_a_held_load_strikes_the_task_off_once_it_is_released(ledger: Ledger) -> None:
    batch = ledger.load(gate="held")
    assert only(settle([demand_list()])).state == "open"
    ledger.decide(batch, "released")
    assert only(settle([demand_list()])).closed_by_batch == batch


def test_the_first_accepted_load_is_the_one_and_later_ones_change_nothing(ledger: Ledger) -> None:
    ledger.load(gate="held")
    second = ledger.load()
    ledger.load()
    assert only(settle([demand_list()])).closed_by_batch == second
    ledger.load()
    ledger.load(gate="held")
    assert only(settle([demand_list()])).closed_by_batch == second


def test_the_gate_itself_strikes_off(ledger: Ledger) -> None:
    settle([demand_list()])
    batch = ledger.load()
    with connect("warehouse:score", autocommit=True) as conn:
        assert conn.execute("select ops.strike_off_tasks()").fetchone() == (1,)
        assert conn.execute("select ops.strike_off_tasks()").fetchone() == (0,)
    assert ledger.conn.execute("select closed_by_batch from ops.demand_task").fetchall() == [(batch,)]


def test_the_next_round_is_a_new_task_that_needs_a_load_of_its_own(ledger: Ledger) -> None:
    first = ledger.load(day=date(2026, 1, 12))
    rounds = [demand_list(), demand_list("round_2", issued_on="2026-01-15")]
    assert [task.closed_by_batch for task in settle(rounds)] == [first, None]
    second = ledger.load(day=date(2026, 1, 16))
    assert [task.closed_by_batch for task in settle(rounds)] == [first, second]


@pytest.mark.parametrize("column", ["closed_at", "closed_on", "closed_by_batch"])
def test_whoever_loads_cannot_close_a_task_by_hand(ledger: Ledger, column: str) -> None:
    settle([demand_list()])
    forged = sql.SQL("update ops.demand_task set {} = null").format(sql.Identifier(column))
    with connect("warehouse:ingest") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(forged)


def test_a_task_is_overdue_by_the_business_date(ledger: Ledger) -> None:
    assert only(settle([demand_list()])).state == "open"
    for day, state in [(date(2026, 1, 31), "open"), (date(2026, 2, 1), "overdue")]:
        business_date.set(ledger.conn, day)
        assert only(settle([demand_list()])).state == state


def test_what_is_listed_no_more_is_withdrawn_unless_it_was_met(ledger: Ledger) -> None:
    two = [{"id": "depot.stock", "from": "市粮食局"}, {"id": "depot.price", "from": "市粮食局"}]
    batch = ledger.load()
    settle([demand_list(resources=two)])
    assert [(task.resource_id, task.state) for task in settle([])] == [
        ("depot.price", "withdrawn"),
        ("depot.stock", "closed"),
    ]
    ledger.load(table="price")
    assert [task.state for task in settle([])] == ["withdrawn", "closed"]
    again = settle([demand_list(resources=two, what="改写")])
    assert [(task.state, task.what) for task in again] == [("closed", "改写"), ("closed", "核对")]
    assert again[1].closed_by_batch == batch


def test_a_wrong_list_says_all_that_is_wrong_and_changes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    settle([demand_list()])
    (tmp_path / "a.yml").write_text(
        "name: a\ntitle: a\nissued_on: 2026-01-10\ndemand: []\n", encoding="utf-8"
    )
    (tmp_path / "b.yml").write_text("name: c\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?s)a\.yml: .*demands.*b\.yml"):
        load_lists(tmp_path)
    assert ledger.conn.execute("select count(*) from ops.demand_task").fetchone() == (1,)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"due_on": "2026-01-09"}, "due before the list was issued"),
        ({"resources": [{"id": "depot", "from": "x"}]}, "pattern"),
        ({"resources": [{"id": "a.b", "from": "x"}, {"id": "a.b", "from": "y"}]}, "twice"),
        ({"resources": []}, "at least 1"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused(change: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        demand_list(**change)


def test_the_lists_of_the_project_name_18_lead_departments_and_real_tables() -> None:
    lists = load_lists()
    assert [one.name for one in lists] == ["list_1", "list_2"]
    assert len({demand.lead_department for demand in lists[1].demands}) == 18
    specs = load_specs()
    asked = [
        resource.id.split(".") for one in lists for demand in one.demands for resource in demand.resources
    ]
    connected = [(source, table) for source, table in asked if source in specs]
    assert connected
    for source, table in connected:
        assert table in [known.name for known in specs[source].tables], f"{source}.{table}"
    assert len(connected) < len(asked), "some systems are not connected yet"
