"""The toy city's hands: land a batch as ingestion would, build, and compare with a full build."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from huiliu.database import Connection
from transformation.build import BuildResult, build
from transformation.dbt_runner import DbtProject, Progress

TABLES = {
    "toy_person": "select person_id, name, town, born_on, _row_key from staging.toy_person",
    "toy_limit": "select * from staging.toy_limit",
    "toy_senior": "select * from staging.toy_senior",
    "toy_town": "select * from staging.toy_town",
    "toy_town_seniors": "select * from staging.toy_town_seniors",
}
_RAW = """
    create table raw.toy__person (
        person_id text, name text, town text, born_on text,
        _row_key uuid not null, _row_hash uuid not null, _op char(1) not null,
        _batch_id bigint not null, _loaded_on date not null
    );
    create table raw.toy__limit (name text, value text);
    insert into raw.toy__limit values ('senior', '21915');
    grant select on all tables in schema raw to huiliu_build;
"""


@dataclass(frozen=True)
class Change:
    """One line of the change log; a deletion repeats the last known values."""

    op: str
    person_id: int
    name: str = "张三"
    town: str | None = "甲镇"
    born_on: str = "1990-01-01"


class ToyCity:
    """A warehouse with one source table of persons and one parameter."""

    def __init__(self, conn: Connection, project: DbtProject) -> None:
        self.conn = conn
        self.project = project
        conn.execute(_RAW)

    def land(self, changes: Iterable[Change], gate: str | None = "passed") -> int:
        """Land a batch, as ingestion and the gate would leave it; return its batch_id."""
        batch_id = int(
            self._one(
                "insert into ops.load_run (source, table_name, mode, business_date, status)"
                " values ('toy', 'person', 'snapshot', '2025-01-01', 'landed') returning batch_id"
            )
        )
        if gate is not None:
            self.gate(batch_id, gate)
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "insert into raw.toy__person"
                " values (%s, %s, %s, %s, md5(%s)::uuid, md5(%s)::uuid, %s, %s, '2025-01-01')",
                [
                    (
                        str(it.person_id),
                        it.name,
                        it.town,
                        it.born_on,
                        str(it.person_id),
                        repr(it),
                        it.op,
                        batch_id,
                    )
                    for it in changes
                ],
            )
        return batch_id

    def gate(self, batch_id: int, status: str) -> None:
        """Decide a batch at the staging gate."""
        self.conn.execute(
            "insert into ops.batch_gate (batch_id, status, decided_by) values (%s, %s, 'test')"
            " on conflict (batch_id) do update set status = excluded.status",
            [batch_id, status],
        )

    def build(
        self,
        day: str = "2025-01-01",
        *,
        full_refresh: bool = False,
        select: str | None = None,
        progress: Progress | None = None,
    ) -> BuildResult:
        """Run one build of the toy project."""
        return build(
            as_of=date.fromisoformat(day),
            full_refresh=full_refresh,
            select=select,
            project=self.project,
            progress=progress,
        )

    def change_model(self, name: str, old: str, new: str) -> None:
        """Edit a model of the test's own project (fixture `own_toy`)."""
        (path,) = self.project.folder.glob(f"models/**/{name}.sql")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        self.project = DbtProject(self.project.folder)

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every model, sorted, without bookkeeping columns."""
        return {name: sorted(self.conn.execute(query), key=repr) for name, query in TABLES.items()}  # type: ignore[arg-type]  # SQL put together in this test

    def assert_equals_full(self, day: str) -> None:
        """Fail unless the tables are row for row what a full build makes of the same batches."""
        incremental = self.contents()
        result = self.build(day, full_refresh=True)
        assert result.failed == []
        assert incremental == self.contents()

    def _one(self, query: str) -> int:
        row = self.conn.execute(query).fetchone()  # type: ignore[arg-type]  # SQL put together in this test
        assert row is not None
        return int(row[0])
