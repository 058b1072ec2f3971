"""A source of the benchmark's own: one table of 12 columns, and the same rows as a CSV file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from psycopg import sql

from benchmarks import child, pipe, workplace
from benchmarks.child import ChildRun
from benchmarks.finding import timed
from huiliu import business_date
from huiliu.connections import dsn_variable
from huiliu.database import Connection, connect, connect_to
from simulator.city import DEFAULT_START

TABLE, FILE = "depot", "depot_file"  # names of the two sources
_DATABASE = "source_depot"
_BARE = sql.SQL("bench_bare")
_CHANGED_IN = 300  # of so many rows, one is updated, one deleted and one new: 1 % in all
_COLUMNS = (
    "id", "pid", "name", "sex", "birth_date", "nation", "hukou_type", "household_no", "village_code",
    "address", "phone", "updated_at",
)  # fmt: skip
_ROWS = sql.SQL(
    """
    insert into wide
    select
        n, '1101' || lpad((n * 7919 % 100000000000000)::text, 14, '0'),
        chr(19968 + (n % 4001)::int)
            || chr(19968 + (n * 31 % 5003)::int) || chr(19968 + (n * 17 % 6007)::int),
        (1 + n % 2)::text, (date '1940-01-01' + (n * 13 % 30000)::int)::text, lpad((n % 56)::text, 2, '0'),
        (1 + n % 2)::text, 'H' || lpad((n / 3)::text, 11, '0'), (110101001001 + n % 7000)::text,
        '某省某市某区幸福街道' || (n % 977) || '号', '13' || lpad((n * 97 % 1000000000)::text, 9, '0'),
        timestamp '2026-01-01' + (n % 1000000) * interval '1 second'
    from generate_series({first}::bigint, {last}::bigint) as n
    """
)


@dataclass
class Depot:
    """The source with so many `rows` (see `grow`); loads run in processes of their own."""

    home: Path
    rows: int = 0
    changes: int = 0
    loads: dict[str, list[ChildRun]] = field(default_factory=dict)

    @classmethod
    def open(cls, home: Path) -> Depot:
        """Make the source's database and its table, empty, and the specs that name them."""
        with connect("admin", autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(_DATABASE)))
        os.environ[dsn_variable(f"source:{TABLE}")] = workplace.admin(_DATABASE)
        with connect("warehouse") as conn:
            business_date.set(conn, DEFAULT_START)
        depot = cls(home)
        depot._write_specs()
        with depot._source() as conn:
            conn.execute(sql.SQL("create table wide ({})").format(_columns(of_source=True)))
            conn.execute("alter table wide add primary key (id)")
        return depot

    def grow(self, rows: int) -> None:
        """Add rows until there are so many, and write the file anew; nothing to do if there are already."""
        if self.rows >= rows:
            return
        with self._source() as conn:
            _append(conn, rows - self.rows)
            conn.execute("vacuum analyze wide")
            self.rows = rows
            with (
                self.file.open("wb") as file,
                conn.cursor().copy("copy wide to stdout (format csv, header, encoding 'GB18030')") as blocks,
            ):
                for block in blocks:
                    file.write(block)

    @property
    def file(self) -> Path:
        """The rows as a GB18030 CSV file."""
        return self.home / "depot.csv"

    def change(self) -> None:
        """Update, delete and insert rows at the source: 1 % in all, others each time."""
        turn = 3 * self.changes + 1
        self.changes += 1
        with self._source() as conn:
            step, update, delete = _CHANGED_IN, turn % _CHANGED_IN, (turn + 1) % _CHANGED_IN
            conn.execute("update wide set phone = phone || '0' where id %% %s = %s", [step, update])
            gone = conn.execute("delete from wide where id %% %s = %s", [step, delete]).rowcount
            _append(conn, gone)
            conn.execute("vacuum analyze wide")

    def load(self, source: str) -> float:
        """Load a source as it is now in a process of its own; return its seconds."""
        workplace.checkpoint()
        run = child.run("load", specs=str(self._specs), source=source)
        self.loads.setdefault(source, []).append(run)
        return run.seconds

    def load_first(self, source: str) -> float:
        """Load a source as if for the first time; return the seconds."""
        with connect("warehouse:ingest") as conn:
            for name in (f"{source}__wide", f"_current__{source}__wide"):
                conn.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("raw", name)))
        return self.load(source)

    def pipe_rows(self) -> float:
        """Pass the table through the COPY pipe into an empty one; return the seconds."""
        self._empty_bare(_columns(of_source=True))
        source, target = workplace.admin(_DATABASE), workplace.admin("warehouse")
        return timed(lambda: pipe.copy_rows(source, sql.SQL("select * from wide"), target, _BARE))

    def pipe_file(self) -> float:
        """Pass the file through the decoding pipe into an empty table of texts; return the seconds."""
        self._empty_bare(_columns(of_source=False))
        return timed(lambda: pipe.copy_file(self.file, "gb18030", workplace.admin("warehouse"), _BARE))

    def _empty_bare(self, columns: sql.Composable) -> None:
        with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
            conn.execute(sql.SQL("drop table if exists {}").format(_BARE))
            conn.execute(sql.SQL("create table {} ({})").format(_BARE, columns))
        workplace.checkpoint()

    def _source(self) -> Connection:
        return connect_to(workplace.admin(_DATABASE), "source", autocommit=True)

    @property
    def _specs(self) -> Path:
        return self.home / "specs"

    def _write_specs(self) -> None:
        self._specs.mkdir()
        containers = {
            TABLE: {"type": "postgres"},
            FILE: {"type": "csv", "path": "{home}/depot.csv", "encoding": "gb18030"},
        }
        for name, container in containers.items():
            table = {
                "name": "wide",
                "title": "宽表",
                "key": ["id"],
                "columns": [{"name": column, "label": column} for column in _COLUMNS],
                "mode": {"type": "snapshot"},
                "resource": {"share_type": "不予共享", "published": False},
            }
            spec = {
                "name": name,
                "title": name,
                "department": "测试",
                "level": "city",
                "cadence": "0 1 * * *",
                "container": container,
                "tables": [table],
            }
            text = yaml.safe_dump(spec, allow_unicode=True)
            (self._specs / f"{name}.yml").write_text(text, encoding="utf-8")


def _append(conn: Connection, rows: int) -> None:
    row = conn.execute("select coalesce(max(id), 0) from wide").fetchone()
    last = int(row[0]) if row else 0
    conn.execute(_ROWS.format(first=last + 1, last=last + rows))


def _columns(*, of_source: bool) -> sql.Composed:
    """Columns with the types they have at the source, or all of text as in the file."""
    types = {"id": "bigint", "updated_at": "timestamp"} if of_source else {}
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types.get(name, "text"))) for name in _COLUMNS
    ]
    return sql.SQL(", ").join(columns)
