"""Faults that come back, and rules that end: neither begins a new term, nor is credited to anybody."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from correction_kpi import kpi
from own_warehouse import TODAY
from toy_source import Row, ToySource, people, person

from huiliu import business_date
from soda_checks.contract import Contract
from soda_checks.corrections.reopened import RETURN_DAYS
from soda_checks.score import score

DUE = date(2026, 1, 29)
BACK = date(2026, 1, 28)


@pytest.fixture
def nameless(toy: ToySource) -> ToySource:
    """Nine people of whom one has no name, scored."""
    toy.connection.execute(
        "create table base.toy_person (pid text); grant select on base.toy_person to huiliu_score"
    )
    toy.land([*people(2, 8), person(1, name=None)])
    _score(toy, TODAY)
    return toy


def _score(toy: ToySource, day: date, contract: Contract | None = None) -> None:
    business_date.set(toy.connection, day)
    toy.merge()
    toy.connection.execute(
        "truncate base.toy_person; insert into base.toy_person select pid from staging.stg_toy__person"
    )
    score({toy.contract.table_name: contract or toy.contract})


def _last(toy: ToySource) -> tuple[str | None, date, bool]:
    """How the last correction stands: how it closed, when it is due, whether it names a former one."""
    return toy.connection.execute(
        "select closed_as, due_at, reopened_from is not null from quality.correction"
        " order by correction_id desc limit 1"
    ).fetchall()[0]


@pytest.mark.parametrize(
    ("back", "due"),
    [
        (BACK, DUE),
        (TODAY + timedelta(days=RETURN_DAYS), DUE),
        (TODAY + timedelta(days=RETURN_DAYS + 1), date(2026, 3, 6)),
    ],
)
def test_a_row_deleted_and_sent_again_as_wrong_as_it_was_keeps_its_due_date(
    nameless: ToySource, back: date, due: date
) -> None:
    nameless.land([person(1)], op="D")
    _score(nameless, TODAY)
    assert _last(nameless) == ("gone", DUE, False)
    nameless.land([person(1, name=None)])
    _score(nameless, back)
    assert _last(nameless) == (None, due, True)
    # Of one fault one term, in which it was not mended; two terms are judged one by one.
    assert kpi(nameless, date(2026, 2, 10)) == ((1, 0, 0) if due == DUE else (1, 1, 0))


@pytest.mark.parametrize(
    ("changes", "is_the_same"),
    [({}, True), ({"name": " "}, False), ({"born_on": "1951-01-01", "township_code": "370602002"}, False)],
)
def test_a_row_without_a_key_changed_in_one_column_is_the_row_it_was(
    nameless: ToySource, changes: Row, is_the_same: bool
) -> None:
    nameless.connection.execute(
        "insert into ops.resource (resource_id, source, table_name, title, department, level, share_type,"
        " published, cadence, key_columns) values ('toy.person', 'toy', 'person', '人员', '市公安局', 'city',"
        " '有条件共享', true, '-', null) on conflict (resource_id) do update set key_columns = null"
    )
    # Another number makes it another row, as another content does where a row is its whole content.
    came = nameless.land([person(1, name=None) | {"person_id": "501"} | changes])
    nameless.connection.execute(
        "insert into raw.toy__person (person_id, _row_key, _op, _batch_id, _loaded_on)"
        " values ('1', md5('1')::uuid, 'D', %s, '2026-01-15')",
        [came],
    )
    _score(nameless, BACK)
    names = nameless.connection.execute(
        "select closed_as, due_at, reopened_from is not null from quality.correction"
        " where column_name = 'name' order by correction_id"
    ).fetchall()
    again = (None, DUE, True) if is_the_same else (None, date(2026, 2, 11), False)
    assert names == [("gone", DUE, False), again]


def test_a_rule_whose_days_are_over_withdraws_its_corrections(nameless: ToySource) -> None:
    _score(nameless, BACK, _until(BACK, nameless.contract))
    assert _last(nameless)[0] is None
    _score(nameless, BACK + timedelta(days=1), _until(BACK, nameless.contract))
    assert _last(nameless) == ("withdrawn", DUE, False)
    assert kpi(nameless, date(2026, 2, 10)) == (0, 0, 1)


def _until(day: date, contract: Contract) -> Contract:
    """The contract with rules about names that hold until a day, last day included."""
    columns = [
        column.model_copy(
            update={
                "checks": [
                    check.model_copy(
                        update={
                            "attributes": check.attributes.model_copy(update={"effective_until": day}),
                            "filter": f"${{var.business_date}} <= date '{day}'",
                        }
                    )
                    for check in column.checks
                ]
            }
        )
        if column.name == "name"
        else column
        for column in contract.columns
    ]
    return contract.model_copy(update={"columns": columns})
