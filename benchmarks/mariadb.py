"""The depot's table in a MariaDB of the benchmark's own, and the pipe that is the limit for its rows."""

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
from huiliu.database import connect, connect_to
from huiliu.errors import HuiliuError
from simulator.city import DEFAULT_START
from tests.ingestion.mariadb_server import MariadbServer, program

SOURCE = "mariadb_depot"
_BARE = sql.SQL("bench_bare_mariadb")
_CHANGED_IN = 300  # of so many rows, one is updated, one deleted and one new: 1 % in all
_TABLE = """
    create table wide (
        id bigint primary key, pid varchar(18), name varchar(60), sex varchar(2), birth_date varchar(10),
        nation varchar(4), hukou_type varchar(4), household_no varchar(20), village_code varchar(12),
        address varchar(200), phone varchar(20), updated_at datetime
    )
"""
# The same rows as the PostgreSQL depot has.
_ROWS = """
    insert into wide
    select
        n, concat('1101', lpad(n * 7919 % 100000000000000, 14, '0')),
        concat(
            char(19968 + n % 4001 using utf16), char(19968 + n * 31 % 5003 using utf16),
            char(19968 + n * 17 % 6007 using utf16)
        ),
        1 + n % 2, cast(cast('1940-01-01' as date) + interval (n * 13 % 30000) day as char),
        lpad(n % 56, 2, '0'), 1 + n % 2, concat('H', lpad(n div 3, 11, '0')), 110101001001 + n % 7000,
        concat('某省某市某区幸福街道', n % 977, '号'), concat('13', lpad(n * 97 % 1000000000, 9, '0')),
        cast('2026-01-01' as datetime) + interval (n % 1000000) second
    from (select %s + seq as n from seq_1_to_10000000 where seq <= %s) numbers
"""


@dataclass
class MariadbDepot:
    """The source with so many `rows` (see `grow`); loads run in processes of their own. Close it."""

    home: Path
    server: MariadbServer
    rows: int = 0
    changes: int = 0
    loads: list[ChildRun] = field(default_factory=list)

    @staticmethod
    def missing() -> str | None:
        """Say what is not installed here; None if nothing is missing."""
        wanted = ("mariadbd", "mariadb", "psql")
        return ", ".join(name for name in wanted if program(name) is None) or None

    @classmethod
    def open(cls, home: Path) -> MariadbDepot:
        """Start the server and make its table, empty, and the spec that names it."""
        missing = cls.missing()
        if missing:
            raise HuiliuError(
                f"{missing} is not installed", fix="run scripts/install_test_servers.sh as root"
            )
        depot = cls(home, MariadbServer())
        depot.server.create_database("depot")
        depot.server.run("depot", _TABLE)
        os.environ[dsn_variable(f"source:{SOURCE}")] = depot.server.url("depot")
        with connect("warehouse") as conn:
            business_date.set(conn, DEFAULT_START)
        depot._write_spec()
        return depot

    def close(self) -> None:
        """Stop the server and delete its data."""
        self.server.remove()

    def grow(self, rows: int) -> None:
        """Add rows until there are so many; nothing to do if there are already."""
        if self.rows < rows:
            self._append(rows - self.rows)
            self.rows = rows

    def change(self) -> None:
        """Update, delete and insert rows at the source: 1 % in all, others each time."""
        turn = 3 * self.changes + 1
        self.changes += 1
        update, delete = turn % _CHANGED_IN, (turn + 1) % _CHANGED_IN
        with self.server.admin("depot") as conn, conn.cursor() as cursor:
            cursor.execute(
                "update wide set phone = concat(phone, '0') where id %% %s = %s", [_CHANGED_IN, update]
            )
            gone = cursor.execute("delete from wide where id %% %s = %s", [_CHANGED_IN, delete])
        self._append(gone)

    def load(self) -> float:
        """Load the source as it is now in a process of its own; return its seconds."""
        workplace.checkpoint()
        run = child.run("load", specs=str(self._specs), source=SOURCE)
        self.loads.append(run)
        return run.seconds

    def load_first(self) -> float:
        """Load the source as if for the first time; return the seconds."""
        with connect("warehouse:ingest") as conn:
            for name in (f"{SOURCE}__wide", f"_current__{SOURCE}__wide"):
                conn.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("raw", name)))
        return self.load()

    def pipe_rows(self) -> float:
        """Pass the table through `mariadb --quick | psql copy` into an empty one; return the seconds."""
        types = {"id": "bigint", "updated_at": "timestamp"}
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types.get(name, "text")))
            for name in self._columns
        )
        with connect_to(workplace.admin("warehouse"), "admin", autocommit=True) as conn:
            conn.execute(sql.SQL("drop table if exists {}").format(_BARE))
            conn.execute(sql.SQL("create table {} ({})").format(_BARE, columns))
        workplace.checkpoint()
        return timed(self._pipe)

    def _pipe(self) -> None:
        command = [
            str(program("mariadb")),
            "--no-defaults",
            *("--batch", "--skip-column-names", "--quick", "--default-character-set=utf8mb4"),
            *("--host=127.0.0.1", f"--port={self.server.port}", "--user=reader", "depot"),
            "--execute=select * from wide",
        ]
        environment = {**os.environ, "MYSQL_PWD": self.server.password}
        into = sql.SQL("copy {} from stdin (null 'NULL')").format(_BARE)
        pipe.run([(command, environment), pipe.psql(into, workplace.admin("warehouse"))])

    def _append(self, rows: int) -> None:
        with self.server.admin("depot") as conn, conn.cursor() as cursor:
            cursor.execute("select coalesce(max(id), 0) from wide")
            ((last,),) = cursor.fetchall()
            cursor.execute(_ROWS.replace("%", "%%").replace("%%s", "%s"), [last, rows])
            cursor.execute("analyze table wide")

    @property
    def _columns(self) -> list[str]:
        with self.server.admin("depot") as conn, conn.cursor() as cursor:
            cursor.execute("select * from wide limit 0")
            return [column[0] for column in cursor.description or ()]

    @property
    def _specs(self) -> Path:
        return self.home / "mariadb_specs"

    def _write_spec(self) -> None:
        self._specs.mkdir()
        table = {
            "name": "wide",
            "title": "宽表",
            "key": ["id"],
            "columns": [{"name": column, "label": column} for column in self._columns],
            "mode": {"type": "snapshot"},
            "resource": {"share_type": "不予共享", "published": False},
        }
        spec = {
            "name": SOURCE,
            "title": SOURCE,
            "department": "测试",
            "level": "city",
            "cadence": "0 1 * * *",
            "container": {"type": "mysql"},
            "tables": [table],
        }
        text = yaml.safe_dump(spec, allow_unicode=True)
        (self._specs / f"{SOURCE}.yml").write_text(text, encoding="utf-8")
