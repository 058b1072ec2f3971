"""Sources of the benchmark's own: a table of 12 columns, and the same rows as CSV files and behind an API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from psycopg import sql

from benchmarks import api, child, pipe, workplace
from benchmarks.child import ChildRun
from benchmarks.finding import timed
from benchmarks.mariadb import MariadbDepot
from huiliu import business_date
from huiliu.connections import dsn_variable
from huiliu.database import Connection, connect, connect_to
from simulator.city import DEFAULT_START

TABLE, FILE, QUOTED, API = "depot", "depot_file", "depot_quoted", "depot_api"  # names of the sources
_DATABASE = "source_depot"
_API_ADDRESS = "HUILIU_URL_DEPOT_API"
BARE = sql.SQL("bench_bare")
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
    mariadb: MariadbDepot | None = None
    served: int = 0  # rows behind the API
    stack: ExitStack = field(default_factory=ExitStack)
    loads: dict[str, list[ChildRun]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, home: Path) -> Iterator[Depot]:
        """Make the source's database and its table, empty, and the specs that name them; close what the goals
        opened at the end.
        """
        depot = cls(home)
        depot._prepare()
        with depot.stack:
            yield depot

    def _prepare(self) -> None:
        with connect("admin", autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(_DATABASE)))
        os.environ[dsn_variable(f"source:{TABLE}")] = self.address
        with connect("warehouse") as conn:
            business_date.set(conn, DEFAULT_START)
        self._write_specs()
        with self._source() as conn:
            conn.execute(sql.SQL("create table wide ({})").format(_columns(of_source=True)))
            conn.execute("alter table wide add primary key (id)")

    def grow(self, rows: int) -> None:
        """Add rows until there are so many, and write the files anew; nothing to do if there are already."""
        if self.rows >= rows:
            return
        with self._source() as conn:
            _append(conn, rows - self.rows)
            conn.execute("vacuum analyze wide")
            self.rows = rows
            _write_file(conn, self.file(FILE), sql.SQL("address"))
            # 5 % of the lines hold a field that must stand in quotation marks.
            quoted = sql.SQL("case when id % 20 = 0 then address || ', \"后院\"' else address end")
            _write_file(conn, self.file(QUOTED), quoted)

    def serve(self) -> None:
        """Serve the rows that there are as an API."""
        if self.served == self.rows:
            return
        pages = self.home / "pages"
        api.write_pages(pages, self.address, self.rows)
        if not self.served:
            os.environ[_API_ADDRESS] = self.stack.enter_context(api.serving(pages))
        self.served = self.rows

    def file(self, source: str) -> Path:
        """The rows as a GB18030 CSV file."""
        return self.home / f"{source}.csv"

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

    @property
    def address(self) -> str:
        """The connection string of the source's database; it holds a password."""
        return workplace.admin(_DATABASE)

    def pipe_rows(self) -> float:
        """Pass the table through the COPY pipe into an empty one; return the seconds."""
        self._empty_bare(_columns(of_source=True))
        target = workplace.admin("warehouse")
        return timed(lambda: pipe.copy_rows(self.address, sql.SQL("select * from wide"), target, BARE))

    def pipe_file(self) -> float:
        """Pass the file through the decoding pipe into an empty table of texts; return the seconds."""
        self._empty_bare(_columns(of_source=False))
        target = workplace.admin("warehouse")
        return timed(lambda: pipe.copy_file(self.file(FILE), "gb18030", target, BARE))

    def pipe_api(self) -> float:
        """Read every page of the API straight into an empty table of texts; return the seconds."""
        self._empty_bare(_columns(of_source=False))
        return child.run("read_api", url=os.environ[_API_ADDRESS]).seconds

    def _empty_bare(self, columns: sql.Composable) -> None:
        with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
            conn.execute(sql.SQL("drop table if exists {}").format(BARE))
            conn.execute(sql.SQL("create table {} ({})").format(BARE, columns))
        workplace.checkpoint()

    def _source(self) -> Connection:
        return connect_to(self.address, "source", autocommit=True)

    @property
    def _specs(self) -> Path:
        return self.home / "specs"

    def _write_specs(self) -> None:
        self._specs.mkdir()
        containers = {
            TABLE: {"type": "postgres"},
            FILE: {"type": "csv", "path": str(self.file(FILE)), "encoding": "gb18030"},
            QUOTED: {"type": "csv", "path": str(self.file(QUOTED)), "encoding": "gb18030"},
            API: {"type": "http_api", "url": API, "paging": {"type": "pages", "page_size": api.PAGE_SIZE}},
        }
        for name, container in containers.items():
            table = {
                "name": "wide",
                "title": "宽表",
                "at_source": api.PATH if name == API else None,
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


def _write_file(conn: Connection, path: Path, address: sql.SQL) -> None:
    columns = sql.SQL(", ").join(
        sql.SQL("{} as address").format(address) if name == "address" else sql.Identifier(name)
        for name in _COLUMNS
    )
    query = sql.SQL("copy (select {} from wide) to stdout (format csv, header, encoding 'GB18030')").format(
        columns
    )
    with path.open("wb") as file, conn.cursor().copy(query) as blocks:
        for block in blocks:
            file.write(block)


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
