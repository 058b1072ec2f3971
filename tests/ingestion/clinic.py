"""The tests' own source: the words its specs are made of, and a reader of what raw holds of it."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from huiliu.database import connect

DAY = date(2026, 1, 15)
RESOURCE = {"share_type": "有条件共享", "published": True}


def table(name: str, columns: str, **more: object) -> dict[str, Any]:
    """A table's spec from a text of column names."""
    listed = [{"name": column, "label": column} for column in columns.split()]
    return {"name": name, "title": name, "columns": listed, "resource": RESOURCE, **more}


def source(container: dict[str, Any], *tables: dict[str, Any], name: str = "clinic") -> dict[str, Any]:
    """A source's spec around its tables."""
    return {
        "name": name,
        "title": "诊所",
        "department": "市卫生健康委员会",
        "level": "city",
        "cadence": "0 1 * * *",
        "container": container,
        "tables": list(tables),
    }


PATIENT = "id name born updated_at"
POSTGRES = {"type": "postgres"}
SNAPSHOT = {"type": "snapshot"}
WATERMARK = {"type": "watermark", "column": "updated_at", "overlap": 1, "reconcile_every_days": 0}


def _plain(values: list[str | None], extra: str | None) -> bytes:
    """What a row's hash is made of: its texts, and what the spec doesn't know if there is any."""
    texts = ["\x02" if value is None else value for value in values]
    return "\x1f".join([*texts, *([extra] if extra is not None else [])]).encode()


class Raw:
    """What the warehouse holds of the test's source."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def current(self, name: str, columns: str) -> list[tuple[Any, ...]]:
        """The current rows, rebuilt from the change log alone."""
        return self._rows(
            "select {columns} from (select distinct on (_row_key) * from {raw} order by _row_key,"
            " _batch_id desc) last"
            " where _op <> 'D' order by {columns}",
            name,
            columns,
        )

    def log(self, name: str, columns: str) -> list[tuple[Any, ...]]:
        return self._rows("select {columns}, _op from {raw} order by _batch_id, {columns}", name, columns)

    def state_agrees(self, name: str) -> bool:
        """The kept last state equals what the change log says (it is made at the second load)."""
        texts = self.conn.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
            " and not attisdropped and attname !~ '^_'",
            [f"raw.{name}"],
        ).fetchall()
        columns = " ".join(["_row_key", "_extra", *(column for (column,) in texts)])
        rows = [
            (key, UUID(hashlib.md5(_plain(values, extra), usedforsecurity=False).hexdigest()))
            for key, extra, *values in sorted(
                self._rows(
                    "select {columns} from (select distinct on (_row_key) * from {raw}"
                    " order by _row_key, _batch_id desc) last where _op <> 'D'",
                    name,
                    columns,
                )
            )
        ]
        kept = self._rows("select _row_key, _row_hash from {current} order by 1", name, "_row_key")
        return rows == kept

    def runs(self, source: str = "clinic") -> list[tuple[Any, ...]]:
        """(table, status, inserted, updated, deleted) of every load, oldest first."""
        with self.conn.transaction():
            return self.conn.execute(
                "select table_name, status, rows_inserted, rows_updated, rows_deleted from ops.load_run"
                " where source = %s order by batch_id",
                [source],
            ).fetchall()

    def error(self, source: str = "clinic") -> str:
        """The error of the latest load."""
        row = self.conn.execute(
            "select error from ops.load_run where source = %s order by batch_id desc limit 1", [source]
        ).fetchone()
        assert row is not None
        return str(row[0])

    def _rows(self, query: str, name: str, columns: str) -> list[tuple[Any, ...]]:
        composed = sql.SQL(query).format(
            raw=sql.Identifier("raw", name),
            current=sql.Identifier("raw", f"_current__{name}"),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns.split())),
        )
        return self.conn.execute(composed).fetchall()


def forget(name: str) -> None:
    """Take away all that the warehouse holds of a source."""
    with connect("warehouse:ingest") as conn:
        tables = conn.execute(
            "select tablename from pg_tables where schemaname = 'raw' and tablename ~ %s",
            [f"^(_current__)?{name}__"],
        ).fetchall()
        for (found,) in tables:
            conn.execute(sql.SQL("drop table {} cascade").format(sql.Identifier("raw", found)))
    with connect("warehouse") as conn:
        conn.execute("delete from ops.rejected_row where source = %s", [name])
        conn.execute("delete from ops.mount_probe where resource_id like %s", [f"{name}.%"])
        conn.execute("delete from ops.resource where source = %s", [name])
        conn.execute(
            "delete from ops.manifest where batch_id in"
            " (select batch_id from ops.load_run where source = %s)",
            [name],
        )
        conn.execute("delete from ops.source_column where source = %s", [name])
        conn.execute("delete from ops.read_file where source = %s", [name])
        conn.execute("delete from ops.withheld_delete where source = %s", [name])
        conn.execute("delete from ops.load_run where source = %s", [name])
