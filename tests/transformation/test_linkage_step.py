"""The linkage step stands between the models it reads and those that read it, with keys of its own."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import psycopg
import pytest
from toy_city import Change, ToyCity

from huiliu.database import Connection, connect

MODELS = """
sources:
  - name: linkage
    schema: linkage
    tables: [{name: match}]
exposures:
  - name: linkage
    type: application
    owner: {name: toy}
    depends_on: [ref('toy_senior')]
    config: {meta: {writes: "linkage:match", touched_by: {toy_senior: person_id}}}
"""
LINKED = """
{{ config(
    materialized='incremental', incremental_strategy='touched', unique_key='identifier_key',
    touched_by={'linkage:match': 'identifier_key'}
) }}
select identifier_key, person_key from {{ source('linkage', 'match') }}
{% if is_incremental() %} where identifier_key in (select key::uuid from {{ touched() }}){% endif %}
"""
RECORD = "00000000-0000-0000-0000-00000000000{}"


class Step:
    """Stands in for linkage: says of one record whose it is, and logs that as the real one does."""

    def __init__(self) -> None:
        self.person = 1
        self.seen: list[int] = []

    def link(self, conn: Connection, build_id: int, as_of: date, *, full: bool) -> SimpleNamespace:
        """Write one match; what it could read of the models is kept in ``seen``."""
        with connect("warehouse") as reader:
            row = reader.execute("select count(*) from staging.toy_senior").fetchone()
        self.seen.append(row[0] if row else -1)
        with conn.transaction():
            conn.execute("delete from linkage.match")
            conn.execute(
                "insert into linkage.match (identifier_key, person_key, status, model_version, candidates)"
                " values (%s, %s, 'alone', 'toy', 0)",
                [RECORD.format(9), RECORD.format(self.person)],
            )
            conn.execute(
                "insert into ops.touched_key (model, build_id, key_name, key)"
                " values ('linkage:match', %s, 'identifier_key', %s)",
                [build_id, RECORD.format(9)],
            )
            conn.execute(
                "insert into ops.model_state (model, build_id, as_of, full_build_id)"
                " values ('linkage:match', %s, %s, %s)"
                " on conflict (model) do update set build_id = excluded.build_id",
                [build_id, as_of, build_id],
            )
        return SimpleNamespace(changed=1, summary="1 record")


@pytest.fixture
def step(own_toy: ToyCity, monkeypatch: pytest.MonkeyPatch) -> Step:
    """A toy city whose build has a linkage step, and the step."""
    (own_toy.project.folder / "models" / "linkage.yml").write_text(MODELS)
    (own_toy.project.folder / "models" / "toy_linked.sql").write_text(LINKED)
    step = Step()
    monkeypatch.setattr("linkage.run.link", step.link)
    return step


def linked(toy: ToyCity) -> list[str]:
    return [str(row[0]) for row in toy.conn.execute("select person_key from staging.toy_linked").fetchall()]


def test_the_step_reads_what_was_built_and_is_read_by_the_rest(own_toy: ToyCity, step: Step) -> None:
    own_toy.land([Change("I", 1, born_on="1950-01-01")])
    ended: list[tuple[str, str]] = []
    result = own_toy.build(progress=lambda name, status: ended.append((name, status)))
    assert [run.name for run in result.failed] == []
    assert ("linkage", "success") in ended
    names = [run.name for run in result.models]
    assert next(run.message for run in result.models if run.name == "linkage") == "1 record"
    assert names.index("toy_senior") < names.index("linkage") < names.index("toy_linked")
    assert step.seen == [1]
    assert linked(own_toy) == [RECORD.format(1)]


def test_a_match_that_changes_is_recomputed_and_its_keys_go_when_consumed(
    own_toy: ToyCity, step: Step
) -> None:
    own_toy.land([Change("I", 1, born_on="1950-01-01")])
    own_toy.build()
    step.person = 2
    own_toy.land([Change("I", 2, born_on="1951-01-01")])
    own_toy.build()
    assert linked(own_toy) == [RECORD.format(2)]
    waiting = own_toy.conn.execute("select count(*) from ops.touched_key where model = 'linkage:match'")
    assert waiting.fetchone() == (0,)


def test_a_failed_model_before_the_step_skips_it_and_what_stands_on_the_model(
    own_toy: ToyCity, step: Step
) -> None:
    own_toy.land([Change("I", 1, name="", born_on="1950-01-01")])
    failed = {run.name: run.status for run in own_toy.build().failed}
    assert failed["toy_senior"] == "error"
    assert failed["linkage"] == "skipped"
    assert failed["toy_town_seniors"] == "skipped"
    assert step.seen == []


def test_a_step_that_fails_is_a_failed_model_and_stops_no_other(
    own_toy: ToyCity, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise psycopg.errors.UndefinedTable("no such table")

    own_toy.land([Change("I", 1, born_on="1950-01-01")])
    monkeypatch.setattr("linkage.run.link", broken)
    result = own_toy.build()
    assert [(run.name, run.status) for run in result.failed] == [("linkage", "error")]
    assert own_toy.conn.execute("select count(*) from staging.toy_town_seniors").fetchone() == (1,)
    monkeypatch.setattr("linkage.run.link", step.link)
    assert [run.name for run in own_toy.build().failed] == []
    assert linked(own_toy) == [RECORD.format(1)]
