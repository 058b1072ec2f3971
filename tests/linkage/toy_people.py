"""People and records that a test names one by one, and the builds over them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from psycopg import sql

from huiliu.database import Connection, connect
from linkage import review, run
from linkage.run import LinkResult

_SPACE = uuid.UUID("0c9f5ab2-6b43-4f11-8f5e-1f1c8a2f7f10")
DAY = date(2026, 1, 15)
TABLES = {"record": "int_record_described", "person": "int_identity_described"}
_CREATE = """
create table base.int_record_described (
    identifier_key uuid primary key, source text, name text, sex text, birth_date date, birth_year integer,
    pid_claimed text, region_code text, relative_name text, relative_kind text, event_on date
);
create table base.int_identity_described (
    identifier_key uuid primary key, pid text, name text, names text[], sex text, birth_date date,
    spouse_names text[], region_codes text[], died_on date
)
"""
_STATE = """
insert into ops.model_state (model, build_id, as_of, full_build_id) values (%s, 1, %s, 1)
"""


def key(name: str) -> str:
    """Return the key that a test's name for a record or person stands for."""
    return str(uuid.uuid5(_SPACE, name))


class ToyPeople:
    """Both tables of dbt with their logs, and linkage over them."""

    def __init__(self, conn: Connection) -> None:
        """Make the tables empty, as after a first build."""
        self.conn, self.build = conn, 1
        conn.execute(_CREATE)
        for table in TABLES.values():
            conn.execute(_STATE, [table, DAY])

    def person(self, called: str, /, **values: object) -> None:
        """Add or replace a numbered person; ``called`` is the name in the test."""
        known = {"names": [values["name"]], "spouse_names": [], "region_codes": []} | values
        self._put("person", called, known)

    def record(self, called: str, /, **values: object) -> None:
        """Add or replace a record without a number."""
        self._put("record", called, {"source": "marriage_archive.record"} | values)

    def remove(self, kind: str, names: Iterable[str]) -> None:
        """Let records or people vanish."""
        self._change(
            kind, "delete from {} where identifier_key = any(%s::uuid[])", [key(name) for name in names]
        )

    def decide(self, record: str, candidate: str, decision: str) -> None:
        """Let people say that a record and a candidate are the same or different."""
        if record == candidate:
            return
        one, other = key(record), key(candidate)
        if candidate.startswith("record"):
            one, other = min(one, other), max(one, other)
        with connect("warehouse:decide") as conn:
            conn.execute(
                "insert into linkage.decision values (%s, %s, %s, '张三', %s)"
                " on conflict (record_key, candidate_key) do update set decision = excluded.decision",
                [one, other, decision, DAY],
            )

    def read(self, file: Path) -> int:
        """Take over the decisions of a workbook."""
        with connect("warehouse:decide") as conn:
            return review.read(conn, file, DAY)

    def link(self, *, full: bool = False, build: int | None = None) -> LinkResult:
        """Run the step in the next build, or in one that is named."""
        self.build = build or self.build + 1
        day = DAY + timedelta(days=self.build)
        return run.link(self.conn, self.build, day, full)

    def match(self, name: str) -> tuple[Any, ...]:
        """Return person_key, status and method of a record."""
        row = self.conn.execute(
            "select person_key::text, status, method from linkage.match where identifier_key = %s",
            [key(name)],
        ).fetchone()
        assert row is not None
        return row

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that linkage keeps of today: pairs, matches and keys, in order."""
        return {
            "pair": self.conn.execute("select pair::text from linkage.pair order by 1").fetchall(),
            "match": self.conn.execute("select match::text from linkage.match order by 1").fetchall(),
            "block": self.conn.execute("select block::text from linkage.block order by 1").fetchall(),
        }

    def touched(self, kind: str, keys: Iterable[str]) -> None:
        """Log keys as dbt would in the build to come."""
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "insert into ops.touched_key (model, build_id, key_name, key)"
                " values (%s, %s, 'identifier_key', %s) on conflict do nothing",
                [(TABLES[kind], self.build + 1, it) for it in keys],
            )

    def _put(self, kind: str, name: str, values: Mapping[str, object]) -> None:
        row = {"identifier_key": key(name)} | values
        self._change(kind, "delete from {} where identifier_key = any(%s::uuid[])", [key(name)])
        self.conn.execute(
            sql.SQL("insert into base.{} ({}) values ({})").format(
                sql.Identifier(TABLES[kind]),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(sql.Placeholder() * len(row)),
            ),
            list(row.values()),
        )

    def _change(self, kind: str, statement: str, keys: list[str]) -> None:
        self.conn.execute(
            sql.SQL(statement).format(sql.Identifier("base", TABLES[kind])),  # type: ignore[arg-type]  # both are literals of this file
            [keys],
        )
        self.touched(kind, keys)
